"""The rules in their order, then the estimator: this is where "think at once or not" is decided.

1. The caller's `thinking` setting ("off", "on", a budget).
2. High importance thinks.
3. A query that tools were called for goes on where it was begun, or escalated to.
4. Always-think patterns think, a safety valve; never-think patterns do not.
5. Minimum thinking: the questions that `ReasonerConfig.least_thinking_share` draws think.
6. A follow-up keeps its thread's route.
7. The estimator's predicted gain against `ReasonerConfig.think_at_gain`, or against its own bound. An estimator
   that was fitted for other models has no bound: it informs, and the gate decides. Where an allocation asks a
   higher price for thinking, the gain must reach that price.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.state import DifficultyEstimator, Route, Triage
from adaptive_reasoner.triage.follow_up import is_follow_up
from adaptive_reasoner.triage.least_thinking import is_drawn

# For estimators without a bound of their own: thinking at once must be all but certain to be needed.
DEFAULT_THINK_AT_GAIN = 0.9
# What is said of a question when a rule decides and no estimate was made.
_UNKNOWN_DIFFICULTY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageRequest:
    """One query with what its caller asked for.

    Attributes:
        messages: the thread; the last human message is the query.
        text: the query's text.
        thinking: "auto", "off", "on" or {"budget_tokens": n}.
        importance: "normal" or "high".
        previous_route: where the thread's last answer came from, None for a first turn.
        is_continued: the query was begun before, by `previous_route`: tools that it asked for have answered.
        price_of_thinking: what an allocation asks for a call of the deep model, in P(right); None without one.
    """

    messages: Sequence[BaseMessage]
    text: str
    thinking: Any = "auto"
    importance: str = "normal"
    previous_route: Route | None = None
    is_continued: bool = False
    price_of_thinking: float | None = None


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """Where a query starts, and why."""

    route: Route
    triage: Triage


def choose_route(
    request: TriageRequest, config: ReasonerConfig, estimator: DifficultyEstimator | None
) -> RouteDecision:
    """Decide whether `request` starts with a fast answer or thinks at once.

    Raises:
        ConfigurationError: the estimator's gain is no number between -1 and 1.
    """
    by_rule = _by_rule(request, config)
    if by_rule:
        return by_rule
    if estimator is None:
        reason = "starts fast: nothing predicts the gain for this model, so the gate decides"
        return _decision("fast", "none", reason)
    triage = _checked(estimator.estimate(request.messages), estimator)
    own = _think_at_gain(config, estimator)
    if own is None:
        reason = f"{triage['reason']}, for other models than these: it informs, and the gate decides"
        return RouteDecision("fast", {**triage, "reason": reason})
    bound = own if request.price_of_thinking is None else max(own, request.price_of_thinking)
    route: Route = "deep" if triage["gain"] >= bound else "fast"
    sign, price = "≥" if route == "deep" else "<", ", the price of thinking" if bound > own else ""
    reason = f"{triage['reason']}; predicted gain {triage['gain']:.2f} {sign} {bound:.2f}{price}"
    return RouteDecision(route, {**triage, "reason": reason})


def _think_at_gain(config: ReasonerConfig, estimator: DifficultyEstimator) -> float | None:
    """The caller's bound, the one that the estimator was fitted with (None: for other models), or a cautious one."""
    if config.think_at_gain is not None:
        return config.think_at_gain
    bound: float | None = getattr(estimator, "think_at_gain", DEFAULT_THINK_AT_GAIN)
    return None if bound is None else float(bound)


def _checked(triage: Triage, estimator: DifficultyEstimator) -> Triage:
    """What cannot be compared must not decide: NaN is less than every bound, and so would never think."""
    gain: Any = triage["gain"]
    if (
        isinstance(gain, bool)
        or not isinstance(gain, int | float)
        or not math.isfinite(gain)
        or abs(gain) > 1
    ):
        raise ConfigurationError(
            f"The triage estimator {type(estimator).__name__} predicts the gain {gain!r}; it must be a number "
            'between -1 and 1. Repair it, or set triage="off".'
        )
    return triage


def _by_rule(request: TriageRequest, config: ReasonerConfig) -> RouteDecision | None:
    """The first rule that applies."""
    for applies, route, source, reason in _rules(request, config):
        if applies:
            return _decision(route, source, reason)
    return None


def _rules(request: TriageRequest, config: ReasonerConfig) -> Iterator[tuple[bool, Route, str, str]]:
    yield request.thinking == "off", "fast", "caller", "the caller switched thinking off"
    yield request.thinking != "auto", "deep", "caller", "the caller asked for thinking"
    yield request.importance == "high", "deep", "importance", "important questions always think"
    if request.previous_route and request.is_continued:
        yield True, request.previous_route, "thread", "a tool's result goes back to the way that asked for it"
    for pattern in config.always_think:
        yield _matches(pattern, request), "deep", "rule", f"matches the always-think pattern {pattern!r}"
    for pattern in config.never_think:
        yield _matches(pattern, request), "fast", "rule", f"matches the never-think pattern {pattern!r}"
    yield (
        is_drawn(request.messages, config.least_thinking_share),
        "deep",
        "minimum",
        f"drawn by least_thinking_share: {config.least_thinking_share:.1%} of the questions think",
    )
    if request.previous_route:
        yield (
            is_follow_up(request.text),
            request.previous_route,
            "thread",
            "a follow-up keeps its thread's route",
        )
    yield config.triage == "off", "fast", "off", "triage is off: every query starts fast"


def _matches(pattern: str, request: TriageRequest) -> bool:
    return re.search(pattern, request.text, re.IGNORECASE) is not None


def _decision(route: Route, source: str, reason: str) -> RouteDecision:
    return RouteDecision(
        route, {"gain": 0.0, "difficulty": _UNKNOWN_DIFFICULTY, "source": source, "reason": reason}
    )
