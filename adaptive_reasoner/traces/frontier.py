"""What another threshold would have done: accuracy against the share of thinking calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.gate.comparison import Comparison
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.nodes.best_round import best_round
from adaptive_reasoner.recorded import message_of
from adaptive_reasoner.state import Mode, Round, Signal
from adaptive_reasoner.traces.recordings import RecordedPair
from adaptive_reasoner.uncertainty.message import score_message
from adaptive_reasoner.uncertainty.support import with_support

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """n questions with both answers, seen through a gate.

    Attributes:
        risks: shape (n,), by which the gate judges the fast answers; 1 where unknown.
        doubts: shape (n,), 1 - p of the fast answers' least probable token; 1 where unknown.
        fast_right, deep_right: shape (n,), 0 or 1.
        after_right: shape (n,), of the answer handed on once the deep model was asked.
    """

    risks: Floats
    doubts: Floats
    fast_right: Floats
    deep_right: Floats
    after_right: Floats


def judge(pairs: Sequence[RecordedPair], profile: GateProfile) -> Judged:
    """Score both answers of each pair and let the graph's own rule choose between them."""
    rows: list[tuple[float, float, bool, bool, bool]] = []
    for pair in pairs:
        if pair.deep is None:
            continue
        before, after = message_of(pair.fast), message_of(pair.deep)
        fast = _with_risk(score_message(before), profile, "fast")
        deep = _with_risk(with_support(score_message(after), after, fast, before), profile, "deep")
        right = bool(pair.fast["correct"]), bool(pair.deep["correct"])
        doubt = 1.0 - (fast["min_probability"] or 0.0)
        rows.append((_order(fast, profile), doubt, *right, right[chosen(fast, deep, profile.comparison)]))
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 5)
    return Judged(*table.T)


def chosen(fast: Signal, deep: Signal, comparison: Comparison | None) -> int:
    """0 if the fast answer is handed on after the deep one was given, 1 if the deep one is."""
    usage = {"input_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "total_tokens": 0, "cost_usd": 0.0}
    rounds: list[Any] = [
        {"node": node, "verdict": "give_up", "signal": signal, "usage": usage, "latency_seconds": 0.0}
        for node, signal in (("fast_answer", fast), ("deep_think", deep))
    ]
    typed: list[Round] = rounds
    return best_round(typed, comparison=comparison)


def accuracy_by_share(order: Floats, fast_right: Floats, after_right: Floats) -> Floats:
    """Accuracy after 0, 1, …, n of the questions are thought through, the highest `order` first; shape (n + 1,)."""
    riskiest = np.argsort(-order, kind="stable")
    gained = np.concatenate([[0.0], np.cumsum((after_right - fast_right)[riskiest])])
    return np.asarray((fast_right.sum() + gained) / len(order), dtype=np.float64)


def recovered_gap(accuracies: Floats, fast: float, deep: float) -> float:
    """APGR: the mean share of the accuracy gap that is recovered; NaN where there is none.

    Source: Ong et al., RouteLLM, arXiv 2406.18665, section 3.
    """
    return float((accuracies.mean() - fast) / (deep - fast)) if deep != fast else float("nan")


def at_shares(judged: Judged, shares: Sequence[float]) -> list[dict[str, float]]:
    """For each share of thinking calls: the threshold on the risk, and the accuracy."""
    accuracies = accuracy_by_share(judged.risks, judged.fast_right, judged.after_right)
    ranked = np.sort(judged.risks)[::-1]
    points: list[dict[str, float]] = []
    for share in shares:
        calls = round(share * len(ranked))
        threshold = float(ranked[calls]) if calls < len(ranked) else 0.0
        points.append({"share": share, "threshold": threshold, "accuracy": float(accuracies[calls])})
    return points


def draw_frontier(judged: Judged, shown: tuple[float, float], path: Path) -> None:
    """Write a PNG: the gate, one threshold on 1 - p, random mixing, and the replayed point (share, accuracy)."""
    from matplotlib.figure import Figure

    shares = np.linspace(0, 1, len(judged.risks) + 1)
    figure: Any = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    axes = figure.subplots()
    gate = accuracy_by_share(judged.risks, judged.fast_right, judged.after_right)
    plain = accuracy_by_share(judged.doubts, judged.fast_right, judged.deep_right)
    axes.plot(100 * shares, 100 * gate, color="#0072B2", linewidth=2, label="this gate")
    axes.plot(100 * shares, 100 * plain, color="#D55E00", linestyle="--", label="one threshold on 1 - p")
    ends = [100 * judged.fast_right.mean(), 100 * judged.deep_right.mean()]
    axes.plot([0, 100], ends, color="grey", linestyle=":", label="random")
    axes.plot([100 * shown[0]], [100 * shown[1]], "*", color="black", markersize=14, label="as replayed")
    axes.set_xlabel("questions thought through, %")
    axes.set_ylabel("right answers, %")
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right")
    figure.savefig(path)


def _with_risk(signal: Signal, profile: GateProfile, mode: Mode) -> Signal:
    """The signal with the risk that the gate reports; only a calibrated profile reports one."""
    known = profile.modes.get(mode)
    if known is None or signal["kind"] != "logprobs" or profile.kind != "calibrated":
        return signal
    return {**signal, "risk": known.risk(signal)}


def _order(fast: Signal, profile: GateProfile) -> float:
    if fast["kind"] != "logprobs":
        return 1.0
    known = profile.modes.get("fast")
    return known.risk(fast) if known else 1.0 - (fast["min_probability"] or 0.0)
