"""The scripted models that every column is asked with, and what a column gives back."""

import json
from dataclasses import dataclass, field
from typing import Any

from graph_ways import disbelieved, doubted, sure
from langchain_core.tools import tool
from pydantic import BaseModel

from adaptive_reasoner.testing import Reply, ScriptedChatModel

PENS, CUPS = "How many pens?", "How many cups?"
DRAFT = {PENS: "41 pens", CUPS: "8 cups"}
ANSWER = {
    PENS: "42 pens, counted twice, in the box on the left shelf",
    CUPS: "9 cups, two of them broken, in the box on the right shelf",
}
THOUGHT_THROUGH = [("fast_answer", "escalate"), ("deep_think", "accept")]
REPAIRED = [("fast_answer", "refine"), ("refine", "accept")]


class Place(BaseModel):
    """Where somebody wants to go."""

    city: str


PLACE_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "Place", "schema": Place.model_json_schema(), "strict": False},
}


@dataclass
class Seen:
    """What came of asking.

    Attributes:
        text: the answer.
        report: its report.
        pieces: texts that were streamed, in order, as whoever adds them up would.
        more: what else a row looks at.
    """

    text: str
    report: dict[str, Any]
    pieces: list[str] = field(default_factory=list)
    more: Any = None

    @property
    def steps(self):
        return [(one["node"], one["verdict"]) for one in self.report["rounds"]]


def playing(*steps, **fields):
    return ScriptedChatModel(steps, logprobs_in_chunks=True, **fields)


def question_of(call):
    return next(message.text for message in reversed(call.messages) if message.type == "human")


def drafting():
    """A fast model whose answers are always disbelieved."""
    return playing(lambda call: disbelieved(DRAFT[question_of(call)]), cycle=True, model_name="small")


def thinking():
    """A deep model that is sure of its answers."""
    return playing(lambda call: sure(ANSWER[question_of(call)]), cycle=True, model_name="large")


def asking_for(city, probability=0.99):
    return Reply(tool_calls=[{"name": "weather", "args": {"city": city}}], probability=probability)


def with_tools():
    """A doubted call, its repair, and an answer from the tool's result."""
    return playing(asking_for("Rom", 0.6), asking_for("Rome"), sure("Sunny."))


def with_place():
    """A doubted JSON answer and the thought-through one."""
    return playing(disbelieved(json.dumps({"city": "Rom"}))), playing(sure(json.dumps({"city": "Rome"})))


def undecided():
    """Two models of which neither is sure: a person decides."""
    return playing(disbelieved("41 pens")), playing(doubted("42 pens"))


def weather_of(asked):
    """A tool that notes the cities it was asked for."""

    @tool
    def weather(city: str) -> str:
        """Forecast for a city."""
        asked.append(city)
        return f"{city}: sunny"

    return weather
