"""The contract of signals that do not come from an answer's own log probabilities.

A source is a generator: it yields the model calls that it wants, gets each reply, and returns a signal. It makes
no call itself, so one body serves sync and async callers, and whoever drives it may refuse a call.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.state import Signal, SignalKind
from adaptive_reasoner.uncertainty.score import unknown_signal


@dataclass(frozen=True, slots=True)
class Ask:
    """One model call that a source wants.

    Attributes:
        messages: the prompt; None sends what the answer was given to, once more, to the model that gave it.
        temperature: for a model that is set to 0 and would repeat itself; None leaves it there.
        model: who is asked; None: the model that gave the answer or, with `messages`, the fast model.
        max_output_tokens: what the reply needs at most; None leaves it to the model.
    """

    messages: tuple[BaseMessage, ...] | None = None
    temperature: float | None = None
    model: BaseChatModel | None = None
    max_output_tokens: int | None = None


# The reply is None where the call was refused or failed: a source then makes do with what it has.
Inquiry = Generator[Ask, AIMessage | None, Signal]


class SignalSource(Protocol):
    """Finds out how sure an answer is."""

    @property
    def most_calls(self) -> int:
        """Model calls that one inquiry may want; cheaper sources are tried first."""
        ...

    def inquire(self, messages: Sequence[BaseMessage], answer: AIMessage) -> Inquiry:
        """Ask for model calls, then return a signal; of kind "unknown", with the reason, where it is no help.

        Args:
            messages: the conversation that `answer` replies to.
            answer: whole, without error; its thoughts are not part of its text.
        """
        ...


def cheapest_informative(
    sources: Sequence[SignalSource], messages: Sequence[BaseMessage], answer: AIMessage
) -> Inquiry:
    """Try the sources from the cheapest on and return the first signal that is not unknown.

    Where none is, the returned signal gives every source's reason.
    """
    reasons: list[str] = []
    for source in sorted(sources, key=lambda source: source.most_calls):
        signal = yield from source.inquire(messages, answer)
        if signal["kind"] != "unknown":
            return signal
        reasons.append(signal["reason"] or type(source).__name__)
    return unknown_signal("; ".join(reasons))


def doubt_signal(kind: SignalKind, doubt: float, reason: str, **fields: Any) -> Signal:
    """A signal from elsewhere than the answer's log probabilities.

    Args:
        kind: "agreement" or "verifier".
        doubt: estimate of P(wrong) in [0, 1], not calibrated on labelled answers.
        reason: how it was found, for the report.
        fields: further fields of the signal.
    """
    measured = {"kind": kind, "risk": doubt, "min_probability": 1.0 - doubt}
    return cast("Signal", {**unknown_signal(reason), **measured, **fields})
