"""Asks a model for the bare answer and reads how sure of it it is: one short call, then the decision.

Of all estimators this one knows most, because it has tried; it costs a prompt and a few tokens. Where questions have
short answers it is what a fast answer would have told anyway, so it pays where fast answers are long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.state import Triage
from adaptive_reasoner.thinking import logprob_kwargs, thinking_kwargs
from adaptive_reasoner.uncertainty.message import score_message
from adaptive_reasoner.uncertainty.verifier import with_question

PROBE = "Give the final answer and nothing else, in as few words as you can."
# Tokens. OpenAI's Responses API takes no fewer than 16.
LONGEST_ANSWER = 16
_TOP_LOGPROBS = 5
_UNKNOWN_DIFFICULTY = 0.5


@dataclass(frozen=True, slots=True)
class Probe:
    """A call that an estimator wants: what is sent, and with which call-time arguments."""

    model: BaseChatModel
    messages: list[BaseMessage]
    kwargs: dict[str, Any]
    max_output_tokens: int


@runtime_checkable
class AsksModel(Protocol):
    """An estimator that needs a model call; the triage node makes and pays it, so that budgets hold."""

    def probe(self, messages: Sequence[BaseMessage]) -> Probe:
        """The call for the newest human turn of `messages`."""
        ...

    def read(self, answer: AIMessage | None) -> Triage:
        """The estimate from the answer; None: the call was not made, or failed."""
        ...


@dataclass(frozen=True, slots=True)
class ProbeEstimator:
    """Predicts the gain from the doubt of a bare answer: 1 - P(its least probable token).

    Attributes:
        model: whose doubt counts: the fast model. It must return log probabilities.
        gain_per_doubt: gain in P(right) for a doubt of 1, as `fitted` finds it. On recorded MMLU
            answers gpt-4o-mini and gpt-4o have .52 and .64 by thinking, llama-3.1-8B .18; .5 is a first guess.
        think_at_gain: the gain from which thinking at once pays.
        prompt: how the bare answer is asked for.
    """

    model: BaseChatModel
    gain_per_doubt: float = 0.5
    think_at_gain: float = 0.25
    prompt: str = PROBE

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigurationError: one lies outside [0, 1] or is no number.
        """
        for name, value in (("gain_per_doubt", self.gain_per_doubt), ("think_at_gain", self.think_at_gain)):
            if not 0.0 <= value <= 1.0:
                raise ConfigurationError(f"ProbeEstimator.{name} is {value!r}; it must lie between 0 and 1.")

    def probe(self, messages: Sequence[BaseMessage]) -> Probe:
        """The thread as it is, with the request for a bare answer in its last turn."""
        asked = [
            one
            for one in messages
            if isinstance(one, HumanMessage | AIMessage | SystemMessage) and not _has_calls(one)
        ]
        kwargs = {
            **thinking_kwargs(self.model, "off"),
            **logprob_kwargs(self.model, "off", _TOP_LOGPROBS),
        }
        return Probe(self.model, list(with_question(asked, self.prompt)), kwargs, LONGEST_ANSWER)

    def read(self, answer: AIMessage | None) -> Triage:
        """The doubt of the answer's tokens; missing log probabilities are unknown, and the gate decides."""
        if answer is None:
            return _unknown("the probe was not answered")
        signal = score_message(answer, "whole")
        if signal["min_probability"] is None:
            return _unknown(f"the probe's confidence is unknown: {signal['reason']}")
        doubt = 1.0 - signal["min_probability"]
        gain = self.gain_per_doubt * doubt
        reason = f"a bare answer's least probable token has {signal['min_probability']:.2f}"
        return {"gain": gain, "difficulty": doubt, "source": "probe", "reason": reason}

    def estimate(self, messages: Sequence[BaseMessage]) -> Triage:
        """Make the call and read it; in the graph, the triage node makes it instead, within the budgets."""
        probe = self.probe(messages)
        kwargs = dict(probe.kwargs)
        if "max_tokens" in type(self.model).model_fields:
            kwargs["max_tokens"] = probe.max_output_tokens
        return self.read(self.model.invoke(probe.messages, **kwargs))

    @classmethod
    def fitted(
        cls,
        model: BaseChatModel,
        doubts: Sequence[float],
        gains: Sequence[float],
        *,
        think_at_gain: float = 0.25,
    ) -> "ProbeEstimator":
        """The line through 0 that fits observed gains best.

        Args:
            model: whose doubts these are.
            doubts: n doubts, in [0, 1].
            gains: deep right - fast right of the same questions, in -1, 0, 1.
            think_at_gain: see the class.

        Raises:
            ConfigurationError: nothing was given, the lengths differ, or the doubts are all 0.
        """
        squares = sum(doubt * doubt for doubt in doubts)
        if len(doubts) != len(gains) or squares <= 0:
            raise ConfigurationError("ProbeEstimator.fitted needs as many gains as doubts, some above 0.")
        slope = sum(doubt * gain for doubt, gain in zip(doubts, gains, strict=True)) / squares
        return cls(model, min(max(slope, 0.0), 1.0), think_at_gain)


def _unknown(reason: str) -> Triage:
    return {
        "gain": 0.0, "difficulty": _UNKNOWN_DIFFICULTY, "source": "probe", "reason": f"{reason}; the gate decides",
    }  # fmt: skip


def _has_calls(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and bool(message.tool_calls)
