"""Drives a source's inquiry with canned replies, as a node drives it with a model."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.messages import AIMessage, HumanMessage

from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.opinion import Ask, Inquiry, SignalSource

QUESTION = [HumanMessage("What is 6 times 7?")]


@dataclass
class Driven:
    """What a source asked for, and what it concluded."""

    signal: Signal
    asks: list[Ask] = field(default_factory=list[Ask])


def inquire(
    source: SignalSource, answer: str | AIMessage, replies: Sequence[str | AIMessage | None] = ()
) -> Driven:
    """Ask `source` about `answer`; calls beyond `replies` are refused."""
    message = AIMessage(answer) if isinstance(answer, str) else answer
    return drive(source.inquire(QUESTION, message), replies)


def drive(inquiry: Inquiry, replies: Sequence[str | AIMessage | None] = ()) -> Driven:
    """Play `replies`, one a call."""
    asks: list[Ask] = []
    waiting = list(replies)
    try:
        ask = next(inquiry)
        while True:
            asks.append(ask)
            reply = waiting.pop(0) if waiting else None
            ask = inquiry.send(AIMessage(reply) if isinstance(reply, str) else reply)
    except StopIteration as finished:
        return Driven(finished.value, asks)
