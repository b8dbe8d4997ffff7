"""A question as the server hands it to the loop, and what comes of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.models import resolve_model
from adaptive_reasoner.server.caller import ANYBODY, Caller
from adaptive_reasoner.state import ReasoningContext, ReasoningReport

Json = dict[str, Any]
OnEvent = Callable[[Json], None]

ADAPTIVE, FAST, DEEP = "adaptive", "fast", "deep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, ready for the graph.

    Attributes:
        model: the name that is served.
        messages: the conversation, the thread's earlier messages included.
        new_messages: what a kept thread did not hold before.
        context: settings of the run, see `ReasoningContext`.
        thread_id: names the thread for budgets and records, None without one.
        caller: who asks.
        keeps_logprobs: leave the log probabilities on the answer.
        request_id: for logs and traces.
        turn_key: what its thread knows the turn by, from the idempotency key and the body; None without a key.
        on_event: is told what happens: route, calls, rounds. None: nobody watches.
        tells_drafts: thoughts and drafts are told, too, piece by piece: {"event": "draft", "thought": …, "text": …}.
    """

    model: str
    messages: Sequence[BaseMessage]
    new_messages: Sequence[BaseMessage] = ()
    context: ReasoningContext = field(default_factory=ReasoningContext)
    thread_id: str | None = None
    caller: Caller = ANYBODY
    keeps_logprobs: bool = False
    request_id: str = ""
    turn_key: str | None = None
    on_event: OnEvent | None = None
    tells_drafts: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

    Attributes:
        message: the answer, with the usage of all calls.
        report: why it is this one.
        is_settled: False: a person has still to decide, and the message says so; threads do not keep it.
    """

    message: AIMessage
    report: ReasoningReport
    is_settled: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for a person; the graph's checkpointer keeps it under `run_id`.

    Attributes:
        run_id: the thread id of the interrupted run.
        asks: what the review node asks: answer, report, actions.
    """

    run_id: str
    asks: Json


Next = Callable[[Question], Awaitable[Answer]]
Around = Callable[[Question, Next], Awaitable[Answer]]
OnWaiting = Callable[[Question, Waiting], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class ServedModels:
    """The models behind the names; `deep` None is the fast model with thinking switched on."""

    fast: BaseChatModel | str
    deep: BaseChatModel | str | None = None

    def resolved(self) -> "ServedModels":
        """The same as chat models."""
        deep = None if self.deep is None else resolve_model(self.deep)
        return ServedModels(resolve_model(self.fast), deep)

    def behind(self, name: str) -> list[BaseChatModel]:
        """Which chat models a run under this name may call."""
        fast, deep = resolve_model(self.fast), resolve_model(self.deep or self.fast)
        if name == FAST:
            return [fast]
        return [deep] if name == DEEP or deep is fast else [fast, deep]
