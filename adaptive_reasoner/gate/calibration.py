"""Calibrate a gate from labelled answers, to a target: the share escalated, or the error of what is accepted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import AIMessage

from adaptive_reasoner.config import Situation
from adaptive_reasoner.errors import CalibrationError, ConfigurationError
from adaptive_reasoner.gate.early_cut_fitting import WholeAnswer, fit_early_cut
from adaptive_reasoner.gate.error_target import for_error
from adaptive_reasoner.gate.escalation_target import for_escalation
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.scored import Scored
from adaptive_reasoner.state import Signal, Triage
from adaptive_reasoner.uncertainty.logprobs import parse_response
from adaptive_reasoner.uncertainty.message import score_message
from adaptive_reasoner.uncertainty.support import with_support
from adaptive_reasoner.uncertainty.token_measures import token_measures


@dataclass(frozen=True, slots=True)
class CalibrationExample:
    """A question with the fast model's answer and, where it was asked too, the deep model's.

    `triage` is what an estimator predicted for it that was not fitted on this question's labels: calibration then
    finds out how much of the prediction is still news once the fast answer is known.
    """

    question: str
    fast: AIMessage
    fast_correct: bool
    deep: AIMessage | None = None
    deep_correct: bool | None = None
    triage: Triage | None = None


def calibrate(
    examples: Sequence[CalibrationExample],
    *,
    max_escalation: float | None = None,
    max_error: float | None = None,
    confidence: float = 0.9,
    max_wrongly_cut: float | None = 0.05,
) -> GateProfile:
    """Fit risks for each mode that examples show, and set the gate for exactly one target.

    `max_escalation` escalates at most that share of the fast answers (those of unknown confidence included):
    where deep answers are given, the ones whose expected gain is largest, and never one that thinking is expected
    to make worse; otherwise the riskiest. Deep answers also teach when a fast answer should stand although
    thinking says otherwise; where that cannot be told, the deep answer stands. `max_error` accepts an answer
    only if, with probability `confidence`, at most that share of accepted answers is wrong; part of the examples
    fits the risk, the rest tests the promise. It covers fast answers, and deep answers where examples show them;
    modes without examples follow the uncalibrated rule. Refining is left out: its gain cannot be seen in these
    examples.

    Where the fast answers are long enough and hold every token's log probabilities, it also fits when the stream of
    one is cut because it will be escalated (`GateProfile.early_cut`).

    Args:
        examples: labelled answers, like those that the gate will see.
        max_escalation: in [0, 1].
        max_error: in (0, 1).
        confidence: in [.5, 1), of the promises and of the test whether the signal is informative.
        max_wrongly_cut: in (0, 1): at most this share of the cut answers would have stood; None: nothing is cut.

    Raises:
        ConfigurationError: none or both of the targets, or a number out of range.
        CalibrationError: the examples cannot support the target, with the numbers.
    """
    if max_wrongly_cut is not None and not 0 < max_wrongly_cut < 1:
        raise ConfigurationError(
            f"max_wrongly_cut is {max_wrongly_cut}; it must lie between 0 and 1, or be None."
        )
    target = CalibrationTarget(max_escalation, max_error, confidence)
    names = Counter(_model_name(example.fast) for example in examples)
    model = names.most_common(1)[0][0] if names else ""
    profile = calibrate_scored(_score(examples), len(examples), model, target)
    if max_wrongly_cut is None:
        return profile
    answers = [one for example in examples if (one := whole_answer(example, profile))]
    early_cut = fit_early_cut(answers, max_accepted=max_wrongly_cut, confidence=confidence)
    return replace(profile, early_cut=early_cut)


@dataclass(frozen=True, slots=True)
class CalibrationTarget:
    """What the gate is set to: exactly one of the first two; see `calibrate`.

    Raises:
        ConfigurationError: none or both of the targets, or one out of range.
    """

    max_escalation: float | None
    max_error: float | None
    confidence: float = 0.9

    def __post_init__(self) -> None:
        _check_target(self.max_escalation, self.max_error, self.confidence)


def calibrate_scored(
    scored: Sequence[Scored], asked: int, model: str, target: CalibrationTarget
) -> GateProfile:
    """Like `calibrate`, from signals: what recorded runs keep of their answers.

    Args:
        scored: the labelled questions whose fast answer has log probabilities.
        asked: labelled questions in all; the others' confidence is unknown.
        model: name of the fast model.
        target: of the gate.

    Raises:
        CalibrationError: the examples cannot support the target, with the numbers.
    """
    if not scored:
        raise CalibrationError(f"None of the {asked} fast answers has usable log probabilities.")
    unknown = asked - len(scored)
    if target.max_escalation is not None:
        modes, comparison, figures = for_escalation(scored, unknown, target.max_escalation, target.confidence)
    else:
        modes, comparison, figures = for_error(scored, target.max_error or 0.0, target.confidence)
    provenance = {"examples": asked, "unknown": unknown, "confidence": target.confidence, **figures}
    return GateProfile(
        kind="calibrated", model=model, modes=modes, comparison=comparison, provenance=provenance
    )


def _score(examples: Sequence[CalibrationExample]) -> list[Scored]:
    scored: list[Scored] = []
    for example in examples:
        fast = score_message(example.fast)
        if fast["kind"] == "logprobs":
            deep_wrong = None if example.deep_correct is None else not example.deep_correct
            deep = _deep_signal(example, fast)
            known = (_deep_tokens(example), example.triage)
            scored.append(Scored(fast, not example.fast_correct, deep, deep_wrong, *known))
    return scored


def whole_answer(example: CalibrationExample, profile: GateProfile) -> WholeAnswer | None:
    """The fast answer as its stream shows it, and whether it stands; None where its confidence is unknown."""
    answer, fast = parse_response(example.fast), score_message(example.fast)
    if fast["kind"] != "logprobs":
        return None
    situation = Situation(
        mode="fast", can_refine=True, can_escalate=True, can_review=False, triage=example.triage
    )
    decision = profile.decide(fast, situation)
    stands = decision.verdict != "escalate"
    deep = _deep_signal(example, fast)
    if not stands and deep and profile.comparison:
        stands = profile.comparison.keeps_fast({**fast, "risk": decision.risk}, deep) or False
    return WholeAnswer(token_measures(answer.tokens), stands)


def _deep_tokens(example: CalibrationExample) -> int | None:
    usage = example.deep.usage_metadata if example.deep else None
    return usage["total_tokens"] if usage else None


def _deep_signal(example: CalibrationExample, fast: Signal) -> Signal | None:
    if example.deep is None:
        return None
    signal = with_support(score_message(example.deep), example.deep, fast, example.fast)
    return signal if signal["kind"] == "logprobs" else None


def _model_name(message: AIMessage) -> str:
    metadata: dict[str, object] = message.response_metadata
    return str(metadata.get("model_name") or metadata.get("model") or "")


def _check_target(max_escalation: float | None, max_error: float | None, confidence: float) -> None:
    if (max_escalation is None) == (max_error is None):
        raise ConfigurationError("calibrate() takes exactly one target: max_escalation or max_error.")
    if max_escalation is not None and not 0 <= max_escalation <= 1:
        raise ConfigurationError(f"max_escalation is {max_escalation}; it must lie between 0 and 1.")
    if max_error is not None and not 0 < max_error < 1:
        raise ConfigurationError(f"max_error is {max_error}; it must lie between 0 and 1, both excluded.")
    if not 0.5 <= confidence < 1:
        raise ConfigurationError(f"confidence is {confidence}; it must lie in [0.5, 1).")
