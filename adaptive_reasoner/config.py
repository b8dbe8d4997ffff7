"""Settings: frozen, checked when they are built, a unit in every field's name or description."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, get_args

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.state import DifficultyEstimator, Mode, Signal, Verdict

if TYPE_CHECKING:
    from adaptive_reasoner.uncertainty.opinion import SignalSource

BudgetScope = Literal["query", "thread", "tenant", "day"]
AnswerSpan = str | Callable[[str], tuple[int, int] | None]
ThinkingSetting = Literal["auto", "off", "on"] | dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the gate may still choose for an answer that was just given."""

    mode: Mode
    can_refine: bool
    can_escalate: bool
    can_review: bool
    accept_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's verdict on one answer, its risk, and the reason in words."""

    verdict: Verdict
    reason: str
    risk: float | None


class Gate(Protocol):
    """Turns a signal into a verdict; `GateProfile` is the implementation that ships."""

    def decide(self, signal: Signal, situation: Situation) -> Decision:
        """Decide what happens to an answer whose uncertainty is `signal`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A hard limit on what may be spent; the next call is made only if its worst case fits.

    Attributes:
        max_tokens: input and output tokens together.
        max_model_calls: calls, whatever their outcome.
        max_usd: money in US dollars; a call of unknown price is not made under it.
        max_seconds: wall-clock seconds since the scope began.
        per: what the limit is counted over.
    """

    max_tokens: int | None = None
    max_model_calls: int | None = None
    max_usd: float | None = None
    max_seconds: float | None = None
    per: BudgetScope = "query"

    def __post_init__(self) -> None:
        limits = (self.max_tokens, self.max_model_calls, self.max_usd, self.max_seconds)
        if all(limit is None for limit in limits):
            raise ConfigurationError(
                "Budget() limits nothing: give max_tokens, max_model_calls, max_usd or max_seconds."
            )
        _check_positive("Budget.max_tokens", self.max_tokens, whole=True)
        _check_positive("Budget.max_model_calls", self.max_model_calls, whole=True)
        _check_positive("Budget.max_usd", self.max_usd)
        _check_positive("Budget.max_seconds", self.max_seconds)
        _check_choice("Budget.per", self.per, get_args(BudgetScope))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonerConfig:
    """How the graph triages, doubts and spends.

    Attributes:
        gate: decides what happens to an answer; None takes the profile shipped for the model, or a cautious
            default that the report names as uncalibrated.
        triage: "auto" (rules, then the model's estimator), "off" (every query starts fast) or an estimator.
        think_at_gain: predicted gain in P(right), from which triage thinks at once instead of answering fast;
            None takes the estimator's own bound.
        always_think, never_think: regular expressions, case-insensitive, tried on the newest human turn.
        least_thinking_share: at least this share of the questions thinks, in [0, 1], drawn by a hash of their
            text: a safety valve, and an unbiased sample to monitor by.
        budget: one or several hard limits; all hold.
        max_refinements: refine rounds a turn, counted anew after each tool result.
        max_model_calls: model calls a turn, tool rounds included; a hard cap beside any budget.
        max_output_tokens: output tokens of one model call; None leaves it to the model. Under a token budget,
            None is the model's own limit, or 4,096 tokens where that is unknown; a model whose output cannot be
            capped is called only if this many tokens (1,024 for None) still fit.
        model_timeout_seconds: seconds that one model call may take; None waits for ever.
        review: "low_confidence" interrupts for a person where nothing is left to try.
        accept_unknown: accept a deep answer whose confidence cannot be measured, instead of handing it on
            marked as unsure.
        fallback_signals: where an answer's own log probabilities tell nothing, what else is asked, the cheapest
            first: `RationaleAgreement`, `Verifier`, `SampleAgreement` of `adaptive_reasoner.uncertainty`, or your own.
        answer_span: the part of the answer that is scored: "auto", "whole", a regular expression (group 1, or
            the whole match) or a callable from text to (start, end).
        answer_order: "answer_first" makes models that can give the answer before the rationale.
        top_logprobs: alternatives a token that are asked for, 2 to 20.
    """

    gate: Gate | None = None
    triage: Literal["auto", "off"] | DifficultyEstimator = "auto"
    think_at_gain: float | None = None
    always_think: tuple[str, ...] = ()
    never_think: tuple[str, ...] = ()
    least_thinking_share: float = 0.0
    budget: Budget | tuple[Budget, ...] = ()
    max_refinements: int = 1
    max_model_calls: int = 8
    max_output_tokens: int | None = None
    model_timeout_seconds: float | None = 120.0
    review: Literal["never", "low_confidence"] = "never"
    accept_unknown: bool = False
    fallback_signals: "tuple[SignalSource, ...]" = ()
    answer_span: AnswerSpan = "auto"
    answer_order: Literal["think_first", "answer_first", "auto"] = "think_first"
    top_logprobs: int = 20

    def __post_init__(self) -> None:
        _check_choice("review", self.review, ("never", "low_confidence"))
        _check_choice("answer_order", self.answer_order, ("think_first", "answer_first", "auto"))
        _check_range("max_refinements", self.max_refinements, 0, 10)
        _check_range("max_model_calls", self.max_model_calls, 1, 1000)
        _check_range("top_logprobs", self.top_logprobs, 2, 20)
        if self.think_at_gain is not None:
            _check_range("think_at_gain", self.think_at_gain, -1.0, 1.0)
        _check_positive("model_timeout_seconds", self.model_timeout_seconds)
        _check_positive("max_output_tokens", self.max_output_tokens, whole=True)
        _check_range("least_thinking_share", self.least_thinking_share, 0.0, 1.0)
        _check_patterns("always_think", self.always_think)
        _check_patterns("never_think", self.never_think)
        self._check_parts()

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets as a tuple, none or several."""
        return (self.budget,) if isinstance(self.budget, Budget) else tuple(self.budget)

    def _check_parts(self) -> None:
        """The fields that take an object: what is given must do what will be asked of it."""
        if isinstance(self.triage, str):
            _check_choice("triage", self.triage, ("auto", "off"))
        else:
            _check_method("triage", self.triage, "estimate", '"auto", "off" or an estimator')
        if self.gate is not None:
            _check_method("gate", self.gate, "decide", "a GateProfile, or None for the shipped one")
        several: Any = (self.budget,) if isinstance(self.budget, Budget) else self.budget
        if not isinstance(several, list | tuple) or not all(
            isinstance(one, Budget) for one in cast("list[Any]", several)
        ):
            raise ConfigurationError(f"budget is {self.budget!r}; give a Budget or a tuple of them.")
        sources: Any = self.fallback_signals
        if not isinstance(sources, list | tuple):
            raise ConfigurationError(f"fallback_signals is {sources!r}; give a tuple of signal sources.")
        for source in cast("list[Any]", sources):
            _check_method("fallback_signals", source, "inquire", "a signal source such as SampleAgreement()")
        span: Any = self.answer_span
        if isinstance(span, str) and span not in {"auto", "whole"}:
            _check_patterns("answer_span", (span,))
        elif not isinstance(span, str) and not callable(span):
            raise ConfigurationError(
                f'answer_span is {span!r}; use "auto", "whole", a regular expression or a callable.'
            )


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{name} is {value!r}; use one of: {', '.join(choices)}.")


def _check_range(name: str, value: Any, low: float, high: float) -> None:
    """Between `low` and `high`; a whole number where these are whole."""
    kinds = int if isinstance(low, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "whole number" if kinds is int else "number"
        raise ConfigurationError(f"{name} is {value!r}; it must be a {kind} between {low} and {high}.")


def _check_positive(name: str, value: Any, *, whole: bool = False) -> None:
    if value is None:
        return
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value) or value <= 0:
        kind = "whole number" if whole else "number"
        raise ConfigurationError(f"{name} is {value!r}; it must be a {kind} greater than 0, or None.")


def _check_method(name: str, value: Any, method: str, expected: str) -> None:
    if isinstance(value, type) or not callable(getattr(value, method, None)):
        raise ConfigurationError(f"{name} is {value!r}, which has no {method}(); use {expected}.")


def _check_patterns(name: str, patterns: Any) -> None:
    several: list[Any] = [*cast("list[Any]", patterns)] if isinstance(patterns, list | tuple) else [None]
    if not all(isinstance(pattern, str) for pattern in several):
        raise ConfigurationError(f"{name} is {patterns!r}; give a tuple of regular expressions.")
    for pattern in several:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ConfigurationError(f"{name}: {pattern!r} is not a regular expression: {error}.") from error
