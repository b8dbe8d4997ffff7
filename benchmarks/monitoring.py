"""How many labelled runs it takes until the report says that a profile's risks no longer hold.

    python benchmarks/monitoring.py --streams 200 --seed 1

Recorded fast answers of real models. The risk is fitted on a random half of one side's families and watched on the
other half (nothing changed: whatever is said is a false alarm), on the other side's families (the questions changed),
and on the same families with the profile's score moved, as a corrupt or outdated profile would be.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from measuring.real_models import MODELS, SIDES, load_side, scored
from measuring.report import print_table, provenance, write_json

from adaptive_reasoner.gate.fitting import fit_mode
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.scored import Scored, risks_of
from adaptive_reasoner.traces.rates import check_risks, rate

LABELS = (50, 100, 300, 1000)
MOVED = (-1.0, -2.0)  # of the score, in log odds: the profile is too sure


def watch(
    profile: ModeProfile, answers: Sequence[Scored], streams: int, source: np.random.Generator
) -> dict[str, Any]:
    """The share of streams of n labelled answers after which the risks are said to be too low, or too high."""
    risks = risks_of(profile, [one.fast for one in answers])
    wrong = np.array([one.fast_wrong for one in answers])
    row: dict[str, Any] = {
        "answers": len(answers),
        "expected": float(risks.mean()),
        "wrong": float(wrong.mean()),
    }
    for count in LABELS:
        said: list[str] = []
        for _ in range(streams):
            chosen = source.choice(len(answers), size=min(count, len(answers)), replace=False)
            said.append(check_risks(risks[chosen].tolist(), wrong[chosen].tolist()))
        row[str(count)] = {
            "too_low": rate(one == "too low" for one in said).to_json(),
            "too_high": rate(one == "too high" for one in said).to_json(),
        }
    return row


def measure(model: str, side: int, streams: int, source: np.random.Generator) -> list[dict[str, Any]]:
    """Every watch of one model whose risk is fitted on `SIDES[side]`."""
    own, other = scored(load_side(model, model, side)), scored(load_side(model, model, 1 - side))
    order = source.permutation(len(own)).tolist()
    half = len(order) // 2
    fit, rest = [own[index] for index in order[:half]], [own[index] for index in order[half:]]
    profile = fit_mode([one.fast for one in fit], [one.fast_wrong for one in fit])
    watched = {"the same": (profile, rest), "other families": (profile, other)}
    for by in MOVED:
        watched[f"score {by:+g}"] = (replace(profile, bias=profile.bias + by), rest)
    return [
        {"model": model, "fitted_on": SIDES[side], "case": case, **watch(gate, answers, streams, source)}
        for case, (gate, answers) in watched.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    source = np.random.default_rng(given.seed)
    rows = [row for model in MODELS for side in (0, 1) for row in measure(model, side, given.streams, source)]
    header = ["model, fitted on, then", "expected", "wrong", *(f"{count} labels" for count in LABELS)]
    print("Said to be too low / too high after so many labelled answers")
    print_table(header, [_cells(row) for row in rows])
    write_json("monitoring", {"provenance": provenance("monitoring.py", vars(given)), "rows": rows})


def _cells(row: dict[str, Any]) -> list[str]:
    shares = [row[str(count)] for count in LABELS]
    return [
        f"{row['model']}, {row['fitted_on'][0]} …, {row['case']}",
        f"{row['expected']:.3f}",
        f"{row['wrong']:.3f}",
        *(f"{one['too_low']['mean']:.3f} / {one['too_high']['mean']:.3f}" for one in shares),
    ]


if __name__ == "__main__":
    main()
