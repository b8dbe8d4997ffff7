"""What the ways in that live in a process share: how they are asked, and what is read from what comes back."""

import warnings

from conformance_scripts import PENS, Seen
from langchain_core._api import LangChainBetaWarning
from langgraph.types import Command

from adaptive_reasoner import ReasonerConfig

THREAD = {"configurable": {"thread_id": "1"}}
PLAIN = ReasonerConfig(triage="off")
ASKING = ReasonerConfig(triage="off", review="low_confidence", max_refinements=0)
EDIT = Command(resume={"action": "edit", "answer": "43 pens"})


def report_of(message):
    return message.response_metadata["adaptive_reasoning"]


def seen_message(message, pieces=(), more=None):
    return Seen(str(message.text), report_of(message), list(pieces), more)


def without_beta(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return call()


async def gathered(stream):
    return [one async for one in stream]


def given(question=PENS):
    return {"messages": [("user", question)]}


def last_message(said):
    """The pieces of the newest of the streamed messages: a client shows it in the place of those before."""
    spoken = [chunk for chunk in said if chunk.type != "tool" and chunk.text]
    return [chunk.text for chunk in spoken if chunk.id == spoken[-1].id]


def reviewed(graph):
    [waiting] = graph.invoke(given(), THREAD)["__interrupt__"]
    assert (waiting.value["kind"], waiting.value["answer"]) == ("review", "42 pens")
    return seen_message(graph.invoke(EDIT, THREAD)["messages"][-1])
