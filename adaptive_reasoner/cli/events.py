"""What happens during one turn, in order, as values that can be drawn, collected or tested."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AIMessageChunk

from adaptive_reasoner.state import MODE_OF_NODE, AnsweringNode, ReasoningReport, Round, Route, Triage
from adaptive_reasoner.thinking import sent_thoughts
from adaptive_reasoner.uncertainty.rationale_text import RATIONALE


@dataclass(frozen=True, slots=True)
class Triaged:
    """Triage chose a route."""

    route: Route
    triage: Triage


@dataclass(frozen=True, slots=True)
class Called:
    """A model call begins."""

    node: AnsweringNode


@dataclass(frozen=True, slots=True)
class Streamed:
    """A piece of an answer, or of the thought before it."""

    text: str
    is_thought: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """A piece of the rationale that follows an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A round ended: its answer, the gate's verdict, and each token's entropy in nats where it is known."""

    index: int
    round: Round
    text: str
    tokens: list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class HandedOff:
    """The turn settled."""

    answer: str
    report: ReasoningReport


@dataclass(frozen=True, slots=True)
class Paused:
    """The turn waits for a person; `question` is what the review node asks."""

    question: Any


Event = Triaged | Called | Streamed | Explained | Judged | HandedOff | Paused


def events_of(part: Mapping[str, Any]) -> Iterator[Event]:
    """The events in one part of a `version="v2"` stream."""
    kind, data = part["type"], part["data"]
    if kind == "custom":
        yield from _custom(data)
    elif kind == "messages":
        yield from _pieces(*data)
    elif kind == "values":
        yield from (Paused(interrupt.value) for interrupt in part.get("interrupts", ()))


def _custom(data: Any) -> Iterator[Event]:
    """Events that this package's nodes write; a tool may write others, which are left alone."""
    match data:
        case {"event": "triage", "route": route, "triage": triage}:
            yield Triaged(route, triage)
        case {"event": "call", "node": node}:
            yield Called(node)
        case {"event": "round", "index": index, "round": round_, "text": text, **rest}:
            tokens = cast("list[list[Any]] | None", rest.get("tokens"))
            yield Judged(index, round_, text, [(str(piece), float(nats)) for piece, nats in tokens or ()])
        case _:
            return


def _pieces(message: Any, metadata: Mapping[str, Any]) -> Iterator[Event]:
    if metadata.get("langgraph_node") not in MODE_OF_NODE or not isinstance(message, AIMessageChunk):
        return
    for thought in sent_thoughts(message):
        yield Streamed(thought.get("reasoning", ""), is_thought=True)
    if text := str(message.text):
        yield Streamed(text, is_thought=False)
    if rationale := str(message.additional_kwargs.get(RATIONALE, "")):
        yield Explained(rationale)
