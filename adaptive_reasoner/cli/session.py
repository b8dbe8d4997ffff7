"""One thread of conversation with the graph, driven through its stream."""

# LangGraph leaves the type arguments of its savers and of Command open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from adaptive_reasoner.cli.always_deep import usual_deep_tokens
from adaptive_reasoner.cli.events import Event, HandedOff, Paused, events_of
from adaptive_reasoner.cli.models import choose_models
from adaptive_reasoner.cli.options import ModelChoice, Policy
from adaptive_reasoner.errors import ModelError
from adaptive_reasoner.graph import ReasoningGraph, build_reasoning_graph
from adaptive_reasoner.state import ReasoningContext, ReasoningOutput

# A turn in which every call failed for one of these needs other options, not another reading.
_ADVICE = {
    "model_rate_limited": "Wait, or ask your provider for a higher limit.",
    "model_failed": "Check the model's name, the endpoint (--base-url) and its key.",
    "model_timeout": "Ask a faster model, or a less busy endpoint.",
    "budget_exhausted": "Raise --budget-tokens.",
    "context_window_exceeded": "Shorten the question, or begin another thread.",
}


@dataclass(frozen=True, slots=True)
class Session:
    """The graph, the settings of each call, and the thread that the turns belong to.

    Attributes:
        usual_deep_tokens: what a thought-through answer usually costs, where that is known.
    """

    graph: ReasoningGraph
    context: ReasoningContext
    thread_id: str
    usual_deep_tokens: float | None = None

    def ask(self, question: str) -> Iterator[Event]:
        """Ask the next question of the thread.

        Yields:
            Events as they happen; the last one is `HandedOff`, or `Paused` where a person is asked.

        Raises:
            ModelError: no call of the turn gave an answer.
        """
        return self._run({"messages": [("user", question)]})

    def resume(self, reply: Any) -> Iterator[Event]:
        """Go on after `Paused` with a person's reply."""
        return self._run(Command(resume=reply))

    def pending(self) -> Paused | None:
        """What the thread waits for, if an earlier program left it waiting."""
        waiting = self.graph.get_state(self._config).interrupts
        return Paused(waiting[0].value) if waiting else None

    @property
    def _config(self) -> RunnableConfig:
        return {"configurable": {"thread_id": self.thread_id}}

    def _run(self, given: Any) -> Iterator[Event]:
        values: Any = {}
        paused = False
        stream = self.graph.stream(
            given,
            self._config,
            context=self.context,
            stream_mode=["custom", "messages", "values"],
            version="v2",
        )
        for part in stream:
            for event in events_of(part):
                paused = paused or isinstance(event, Paused)
                yield event
            if part["type"] == "values":
                values = part["data"]
        if not paused:
            yield _settled(values)


def start_session(
    models: ModelChoice, policy: Policy, thread_id: str, checkpointer: BaseCheckpointSaver[Any]
) -> Session:
    """Build the graph for the command line's options."""
    fast, deep = choose_models(models)
    graph = build_reasoning_graph(
        fast, deep, config=policy.config(), recorder=policy.recorder(), checkpointer=checkpointer
    )
    return Session(graph, policy.context(), thread_id, usual_deep_tokens(deep or fast))


def _settled(values: ReasoningOutput) -> HandedOff:
    report = values["reasoning"]
    rounds = report["rounds"]
    advice = _ADVICE.get(rounds[-1].get("error", "")) if rounds else None
    if advice and all("error" in round_ for round_ in rounds):
        raise ModelError(f"No model call gave an answer: {rounds[-1]['signal']['reason']} {advice}")
    return HandedOff(str(values["messages"][-1].text), report)
