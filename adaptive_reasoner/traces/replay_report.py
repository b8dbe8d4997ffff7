"""What a replay comes to: accuracy, calls, tokens and money, with 95 % intervals."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from adaptive_reasoner.budget import PriceTable
from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.gate.drift import DriftWatch, watch_errors, watch_escalations
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.state import Usage
from adaptive_reasoner.traces.frontier import Judged, accuracy_by_share, at_shares, recovered_gap
from adaptive_reasoner.traces.recordings import RecordedPair
from adaptive_reasoner.traces.replay import Replayed

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
_NORMAL_95 = 1.96


def summarise(
    pairs: Sequence[RecordedPair], replayed: Sequence[Replayed], prices: PriceTable | None = None
) -> dict[str, Any]:
    """Accuracy, calls, tokens and money of the run, beside always fast and always thinking.

    Raises:
        InvalidInputError: the price table lacks a model.
    """
    fast = [bool(pair.fast["correct"]) for pair in pairs]
    deep = [bool(pair.deep["correct"]) if pair.deep else False for pair in pairs]
    got = [one.correct for one in replayed]
    sure = [one.correct for one in replayed if one.is_sure]
    usages = [_total([one.fast_usage for one in replayed]), _total([one.deep_usage for one in replayed])]
    names = [_model(pairs[0].fast), _model(pairs[0].deep or {})]
    return {
        "questions": len(pairs),
        "models": {"fast": names[0], "deep": names[1]},
        "accuracy": _share(got),
        "always_fast": _share(fast),
        "always_thinking": _share(deep),
        "either_right": _share([one or other for one, other in zip(fast, deep, strict=True)]),
        "against_always_thinking": _difference(got, deep),
        "accepted_as_sure": {
            "share": len(sure) / len(pairs),
            "error": 1 - sum(sure) / len(sure) if sure else None,
        },
        "calls": {"fast": len(replayed), "deep": sum(one.thought for one in replayed)},
        "thinking_share": sum(one.thought for one in replayed) / len(replayed),
        "fast_kept_after_thinking": sum(one.kept_fast for one in replayed),
        "tokens": {"fast": usages[0], "deep": usages[1]},
        "cost_usd": _cost(names, usages, prices) if prices is not None else None,
    }


def what_if(judged: Judged) -> dict[str, Any]:
    """The frontier: other thresholds of this gate, and one threshold on 1 - p as the baseline."""
    gate = accuracy_by_share(judged.risks, judged.fast_right, judged.after_right)
    plain = accuracy_by_share(judged.doubts, judged.fast_right, judged.deep_right)
    fast, deep = float(judged.fast_right.mean()), float(judged.deep_right.mean())
    baseline = Judged(judged.doubts, judged.doubts, judged.fast_right, judged.deep_right, judged.deep_right)
    return {
        "thresholds": at_shares(judged, SHARES),
        "one_threshold_on_1_minus_p": at_shares(baseline, SHARES),
        "apgr": _known(recovered_gap(gate, fast, deep)),
        "apgr_one_threshold": _known(recovered_gap(plain, fast, deep)),
    }


def find_drift(profile: GateProfile, replayed: Sequence[Replayed]) -> dict[str, Any]:
    """Whether escalations, and errors of accepted fast answers, come as often as in calibration; None: unknown."""
    escalations, errors = watch_escalations(profile), watch_errors(profile)
    for one in replayed:
        if escalations:
            escalations.observe(event=one.thought)
        if errors and not one.thought:
            errors.observe(event=not one.correct)
    return {"escalations": _state(escalations), "errors": _state(errors)}


def _state(watch: DriftWatch | None) -> dict[str, Any] | None:
    return watch.state().to_json() if watch else None


def _share(flags: Sequence[bool]) -> dict[str, float]:
    """Mean with its 95 % interval (normal approximation)."""
    mean = sum(flags) / len(flags)
    spread = _NORMAL_95 * math.sqrt(mean * (1 - mean) / len(flags))
    return {"mean": mean, "low": max(mean - spread, 0.0), "high": min(mean + spread, 1.0)}


def _difference(one: Sequence[bool], other: Sequence[bool]) -> dict[str, float]:
    """Paired difference of two accuracies with its 95 % interval."""
    differences = [int(a) - int(b) for a, b in zip(one, other, strict=True)]
    n = len(differences)
    mean = sum(differences) / n
    variance = sum((difference - mean) ** 2 for difference in differences) / n
    spread = _NORMAL_95 * math.sqrt(variance / n)
    return {"mean": mean, "low": mean - spread, "high": mean + spread}


def _total(usages: Sequence[Usage]) -> dict[str, int]:
    return {
        "input": sum(usage["input_tokens"] for usage in usages),
        "output": sum(usage["output_tokens"] for usage in usages),
    }


def _cost(names: Sequence[str], usages: Sequence[Mapping[str, int]], prices: PriceTable) -> float:
    total = 0.0
    for name, usage in zip(names, usages, strict=True):
        price = prices.price_of(name)
        if price is None:
            raise InvalidInputError(f"The price table has no {name!r}; it has: {', '.join(prices)}.")
        total += price.cost(usage["input"], usage["output"])
    return total


def _model(record: Mapping[str, Any]) -> str:
    return cast("str", record.get("model")) or "recorded"


def _known(value: float) -> float | None:
    """None for what cannot be computed, as JSON has no other word for it."""
    return None if math.isnan(value) else value
