"""Fits what the shipped gate knows of the embedded model's tool calls; its other numbers stay as they are.

    python -m adaptive_reasoner.training.embedded.calibrate_calls --n 6000 --seed 31 --processes 3

Every problem of the calibration split is asked for a call at once and for a call after a thought. A wrong call
that runs counts 1, a call that is stopped `--stop`, a token what it costs in the profile's other modes; so a
call is never accepted above that risk, and thinking is tried where it is expected to cost less than accepting.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.embedded.tool_weights import about_shipped_change
from adaptive_reasoner.gate.mode_profile import Alternative, ModeProfile
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.statistics import auroc
from adaptive_reasoner.state import Mode
from adaptive_reasoner.training.embedded.calibrate import PROFILE_PATH, show_progress
from adaptive_reasoner.training.embedded.calibrate_policy import Floats
from adaptive_reasoner.training.embedded.calibrate_profile import fit_risk, smooth_curve
from adaptive_reasoner.training.embedded.tool_calls import Call, ask_calls

FAST_FEATURES = ("log_entropy_sum", "max_span_entropy", "log_sequence_doubt", "min_probability")
DEEP_FEATURES = (*FAST_FEATURES, "log_thought_doubt", "thought_logprob")
# A stopped call costs a person's look, or an answer: a quarter of what a wrong one does that runs.
STOP = 0.2


@dataclass(frozen=True, slots=True)
class FittedCalls:
    """The profiles of calls, made at once and after a thought, and figures on the calls that they were fitted on."""

    fast: ModeProfile
    deep: ModeProfile
    figures: dict[str, Any]


def fit_calls(fast: Sequence[Call], deep: Sequence[Call], price: float, stop: float) -> FittedCalls:
    """Fit risks and the expected cost of thinking.

    Args:
        fast: n calls made at once; answers in words are left out.
        deep: calls after a thought, of the same problems.
        price: of a token, in errors.
        stop: loss of a call that is stopped, in errors; the highest risk that is accepted.
    """
    pairs = [(one, other) for one, other in zip(fast, deep, strict=True) if one.formula and other.formula]
    (fast_wrong, fast_profile), (deep_wrong, deep_profile) = (
        _fit(calls, features, stop)
        for calls, features in zip(zip(*pairs, strict=True), (FAST_FEATURES, DEEP_FEATURES), strict=True)
    )
    fast_risk = np.array([fast_profile.risk(one.signal) for one, _ in pairs])
    deep_risk = np.array([deep_profile.risk(other.signal) for _, other in pairs])
    spent = np.array([float(other.tokens) for _, other in pairs])
    loss = np.where(deep_risk <= stop, deep_wrong, stop) + price * spent
    way: Alternative = "escalate"
    fast_profile = replace(
        fast_profile,
        alternatives={way: smooth_curve(fast_risk, loss)},
        tokens={way: smooth_curve(fast_risk, spent)},
    )
    figures = {
        "calls": len(pairs),
        "wrong": {"fast": float(fast_wrong.mean()), "deep": float(deep_wrong.mean())},
        "auroc": {"fast": auroc(fast_risk, fast_wrong > 0), "deep": auroc(deep_risk, deep_wrong > 0)},
    }
    return FittedCalls(fast_profile, deep_profile, figures)


def _fit(calls: Sequence[Call], features: Sequence[str], stop: float) -> tuple[Floats, ModeProfile]:
    wrong = np.array([not call.is_right for call in calls], dtype=np.float64)
    profile = fit_risk([call.signal for call in calls], wrong, features)
    inner = profile.without_thought and replace(profile.without_thought, max_accepted_risk=stop)
    return wrong, replace(profile, max_accepted_risk=stop, without_thought=inner)


def with_calls(profile: GateProfile, fitted: FittedCalls, provenance: dict[str, Any]) -> GateProfile:
    """The profile with what is known of calls; every number that it held before stays."""
    price = profile.modes["fast"].price
    modes: dict[Mode, ModeProfile] = dict(profile.modes)
    modes["fast"] = replace(modes["fast"], of_calls=replace(fitted.fast, price=price))
    modes["deep"] = replace(modes["deep"], of_calls=replace(fitted.deep, price=price))
    return replace(profile, modes=modes, provenance={**profile.provenance, "calls": provenance})


def main(arguments: Sequence[str] | None = None) -> None:
    """Collect, fit, write the profile and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--n", type=int, default=6000, help="calibration problems")
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument(
        "--stop", type=float, default=STOP, help="loss of a stopped call, in wrong calls that run"
    )
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--profile", type=Path, default=PROFILE_PATH, help="the profile that is completed")
    options = parser.parse_args(arguments)
    problems = list(generate("calibration", options.n, seed=options.seed))
    fast, deep = (
        ask_calls(
            problems, thinking, processes=options.processes, on_progress=show_progress(thinking, options.n)
        )
        for thinking in ("off", "on")
    )
    profile = GateProfile.load(options.profile)
    price = profile.modes["fast"].price.per_1000_tokens / 1000
    fitted = fit_calls(fast, deep, price, options.stop)
    provenance: dict[str, Any] = {
        "command": f"python -m adaptive_reasoner.training.embedded.calibrate_calls --n {options.n}"
        f" --seed {options.seed} --stop {options.stop:g}",
        "split": "calibration",
        "weights": shipped_runtime().weights.fingerprint,
        "tool_weights": about_shipped_change()["sha256"],
        "n": options.n,
        "seed": options.seed,
        "stop": options.stop,
        "features": {"fast": list(FAST_FEATURES), "deep": list(DEEP_FEATURES)},
        **fitted.figures,
    }
    with_calls(profile, fitted, provenance).save(options.profile)
    print(json.dumps(provenance, indent=1))


if __name__ == "__main__":
    main()
