"""What a triage and a gate would have done with recorded runs whose answers are labelled.

A run shows what thinking led to only where it thought. Elsewhere that is estimated from the runs that show it: how
often thinking was right where the fast answer was wrong, and where it was right. How much is estimated is counted.
A fast answer that was doubted and refined then is taken to go the same way wherever it is doubted again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.messages import HumanMessage

from adaptive_reasoner.config import Gate, ReasonerConfig, Situation
from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.state import DifficultyEstimator, Mode, Signal, Triage
from adaptive_reasoner.traces.frontier import chosen
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.monitoring import starts_fast
from adaptive_reasoner.traces.triage_examples import RULES, first_answer, first_correct
from adaptive_reasoner.training.triage.scoring import Floats
from adaptive_reasoner.triage.router import TriageRequest, choose_route

LEAST_SEEN = 20  # thoughts that an estimate is made from
_NO_RULE = frozenset({"off", "none"})  # sources of triage that left the start to whatever comes next


@dataclass(frozen=True, slots=True)
class Policy:
    """A gate and the estimator that triage asks; None: every question starts fast."""

    gate: GateProfile
    triage: DifficultyEstimator | None


@dataclass(frozen=True, slots=True)
class Refined:
    """What came of a run after its fast answer was refined.

    Attributes:
        right: whether the answer was that was handed on at last.
        tokens: of all calls after the fast one, input and output.
        thinks: whether a thought followed.
    """

    right: bool
    tokens: int
    thinks: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled run that started fast, as policies see it.

    Attributes:
        question, tenant: of the run.
        fast: the first answer's signal.
        fast_right: whether that answer was right.
        deep, deep_right: of the thought that followed; None where none did, or nobody knows.
        fast_tokens, deep_tokens: of their calls, input and output; None as above.
        refined: what followed a refinement of the fast answer; None where there was none.
        is_ruled: a rule decided where the run started, which no estimator changes.
    """

    question: str
    tenant: str
    fast: Signal
    fast_right: bool
    deep: Signal | None
    deep_right: bool | None
    fast_tokens: int
    deep_tokens: int | None
    is_ruled: bool
    refined: Refined | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """What thinking is expected to do where no run shows it.

    Attributes:
        right_after_wrong, right_after_right: P(thinking is right), by whether the fast answer was.
        tokens: of a call.
        seen: thoughts behind these figures.
    """

    right_after_wrong: float
    right_after_right: float
    tokens: float
    seen: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a policy makes of n runs; each field has shape (n,).

    Attributes:
        errors: P(wrong) of the answer handed on, 0 or 1 where it was seen.
        tokens: input and output.
        thinks: 1 where the deep model is asked.
        estimated: 1 where what thinking does was not seen.
    """

    errors: Floats
    tokens: Floats
    thinks: Floats
    estimated: Floats


def judged_runs(runs: Sequence[LabelledRun]) -> list[Judged]:
    """The runs that started with a fast answer of known worth and with log probabilities."""
    return [one for run in runs if starts_fast(run) and (one := _judged(run))]


def expect_thinking(runs: Sequence[Judged]) -> Thinking:
    """What thinking did where the runs show it.

    Raises:
        CalibrationError: too few runs show it.
    """
    seen = [one for one in runs if one.deep_right is not None]
    if len(seen) < LEAST_SEEN:
        raise CalibrationError(
            f"Only {len(seen)} labelled runs show a fast answer and what thinking made of it; {LEAST_SEEN} are "
            'needed. Label with the right answer ({"run_id": "…", "answer": "…"}), which tells of both.'
        )
    tokens = [one.deep_tokens for one in seen if one.deep_tokens is not None]
    return Thinking(
        right_after_wrong=_share_right([one for one in seen if not one.fast_right]),
        right_after_right=_share_right([one for one in seen if one.fast_right]),
        tokens=float(np.mean(tokens)),
        seen=len(seen),
    )


def outcomes_of(runs: Sequence[Judged], policy: Policy, expected: Thinking) -> Outcomes:
    """Let the policy decide each run anew."""
    rows = [_outcome(one, policy, expected) for one in runs]
    return Outcomes(*np.array(rows, dtype=np.float64).reshape(len(rows), 4).T)


def _judged(run: LabelledRun) -> Judged | None:
    report = run.record["report"]
    rounds = report["rounds"]
    fast, deep = first_answer(rounds, "fast_answer"), first_answer(rounds, "deep_think")
    fast_right, deep_right = first_correct(run, "fast_answer"), first_correct(run, "deep_think")
    if fast is None or fast_right is None or rounds[fast]["signal"]["kind"] != "logprobs":
        return None
    if report["triage"]["source"] == "caller":  # switched thinking off: no gate may switch it on
        return None
    thought = None if deep is None or deep_right is None else rounds[deep]
    return Judged(
        question=run.record["question"],
        tenant=run.record["tenant"] or "",
        fast=rounds[fast]["signal"],
        fast_right=fast_right,
        deep=thought["signal"] if thought else None,
        deep_right=deep_right if thought else None,
        fast_tokens=rounds[fast]["usage"]["total_tokens"],
        deep_tokens=thought["usage"]["total_tokens"] if thought else None,
        is_ruled=report["triage"]["source"] in RULES - _NO_RULE,
        refined=_refined(run, fast),
    )


def _refined(run: LabelledRun, fast: int) -> Refined | None:
    report = run.record["report"]
    following = report["rounds"][fast + 1 :]
    if run.correct is None or not following or following[0]["node"] != "refine":
        return None
    return Refined(
        right=run.correct,
        tokens=report["usage"]["total_tokens"] - report["rounds"][fast]["usage"]["total_tokens"],
        thinks=any(one["node"] == "deep_think" for one in following),
    )


def _share_right(runs: Sequence[Judged]) -> float:
    """With one more of each kind, so that a handful of runs promises neither 0 nor 1 (Laplace)."""
    return (sum(bool(one.deep_right) for one in runs) + 1) / (len(runs) + 2)


def _outcome(one: Judged, policy: Policy, expected: Thinking) -> tuple[float, float, bool, bool]:
    """Error, tokens, whether it thinks, and whether that is estimated."""
    estimate, thinks_at_once = _triage(one, policy.triage)
    if not thinks_at_once and not _escalates(one, policy.gate, estimate):
        return float(not one.fast_right), one.fast_tokens, False, False
    if one.refined is not None and not thinks_at_once:
        seen = one.refined
        return float(not seen.right), one.fast_tokens + seen.tokens, seen.thinks, False
    spent = 0 if thinks_at_once else one.fast_tokens
    if one.deep is None or one.deep_right is None or one.deep_tokens is None:
        right = expected.right_after_right if one.fast_right else expected.right_after_wrong
        return 1 - right, spent + expected.tokens, True, True
    right = one.deep_right if thinks_at_once else _handed_on(one, one.deep, policy.gate)
    return float(not right), spent + one.deep_tokens, True, False


def _triage(one: Judged, estimator: DifficultyEstimator | None) -> tuple[Triage | None, bool]:
    """The graph's own decision; nothing where a rule made it."""
    if estimator is None or one.is_ruled:
        return None, False
    request = TriageRequest(messages=[HumanMessage(one.question)], text=one.question)
    decision = choose_route(request, ReasonerConfig(), estimator)
    return decision.triage, decision.route == "deep"


def _escalates(one: Judged, gate: Gate, estimate: Triage | None) -> bool:
    situation = Situation(mode="fast", can_refine=False, can_escalate=True, can_review=False, triage=estimate)
    return gate.decide(one.fast, situation).verdict == "escalate"


def _handed_on(one: Judged, deep: Signal, gate: GateProfile) -> bool:
    """Whether the answer is right that the graph chooses once both were given."""
    pair = _with_risk(one.fast, gate, "fast"), _with_risk(deep, gate, "deep")
    return bool(one.deep_right) if chosen(*pair, gate.comparison) else one.fast_right


def _with_risk(signal: Signal, gate: GateProfile, mode: Mode) -> Signal:
    """The signal with the risk that this gate gives it, in place of the one recorded."""
    situation = Situation(mode=mode, can_refine=False, can_escalate=False, can_review=False)
    return {**signal, "risk": gate.decide(signal, situation).risk}
