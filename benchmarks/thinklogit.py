"""Does a small guider make a larger model think, and does it beat everything that needs no training of the target?

    PYTHONPATH=benchmarks python -m thinklogit_bed.bed --dir checkpoints/thinklogit --seed 0 --seed 1 --seed 2
    PYTHONPATH=benchmarks python -m thinklogit_bed.variants --dir checkpoints/thinklogit --seed 0 --seed 1 --seed 2
    python benchmarks/thinklogit.py --dir checkpoints/thinklogit --seeds 3 --n 2000

Every alpha, weight and forced token is chosen on a dev set (calibration split), for each seed apart; the test problems
are the same for all rows and seeds. Intervals are over problems, paired, of the mean over seeds; seeds are also shown
apart. Answers are kept beside the models, so that a run that is stopped goes on.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring.report import RESULTS, print_table, provenance, write_json
from thinklogit_bed import bed
from thinklogit_bed.answering import NotAnsweredError
from thinklogit_bed.judging import compare_variants, crossover, judge
from thinklogit_bed.rows import (
    ENSEMBLE,
    GUIDED,
    GUIDER,
    TARGET,
    Exam,
    Row,
    ceiling_rows,
    guided_rows,
    target_rows,
    variant_rows,
)
from thinklogit_bed.training import WEIGHTS
from thinklogit_bed.variants import STRENGTH, VARIANTS, variant

from adaptive_reasoner.embedded.problems import generate

DEV_SEED, TEST_SEED = 515, 616
PARTS = ("ceilings", "variants", "sweep")


def measure(exam: Exam, parts: Sequence[str]) -> dict[str, Any]:
    """Every row of one seed: the main table's, and those of the sweep by the guider's strength."""
    table = {**target_rows(exam), **guided_rows(exam, STRENGTH)}
    if "ceilings" in parts:
        table |= _where_kept(partial(ceiling_rows, exam))
    for name in VARIANTS if "variants" in parts else ():
        table |= _where_kept(partial(variant_rows, exam, name))
    sweep = {STRENGTH: table}
    others = [n for n in bed.TUNED_STEPS if n != STRENGTH and _is_there(exam.directory, exam.seed, n)]
    for steps in others if "sweep" in parts else ():
        rows = _where_kept(partial(guided_rows, exam, steps))
        sweep |= {steps: rows} if rows else {}
    return {"table": table, "sweep": sweep}


def _where_kept(rows: Callable[[], dict[str, Row]]) -> dict[str, Row]:
    """The rows, or none where --kept-only was asked for and their answers are missing."""
    try:
        return rows()
    except NotAnsweredError as missing:
        print(f"left out: {missing}")
        return {}


def _is_there(directory: Path, seed: int, steps: int) -> bool:
    return (bed.tuned(directory, seed, steps) / "tokenizer.json").is_file()


def costs(directory: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Minutes (of this machine's one thread, whatever else it did) and tokens that each tuning took."""
    folders = {
        f"guider tuned for {n} steps": [bed.tuned(directory, s, n) for s in seeds] for n in bed.TUNED_STEPS
    }
    folders |= {
        f"target tuned for {n} steps": [bed.tuned(directory, s, n, "target") for s in seeds]
        for n in bed.CEILING_STEPS
    }
    found: dict[str, Any] = {}
    for name, several in folders.items():
        told = [
            json.loads((f / WEIGHTS / "model.json").read_text())
            for f in several
            if (f / WEIGHTS / "model.json").is_file()
        ]
        if told:
            found[name] = {
                key: [one["provenance"][key] for one in told] for key in ("steps", "tokens", "minutes")
            }
    for name in VARIANTS:
        several = [variant(directory, seed, name) / "guider.json" for seed in seeds]
        found[name] = [json.loads(path.read_text()) for path in several if path.is_file()]
    return found


def show(result: Mapping[str, Any]) -> None:
    rows = [
        [
            one["row"],
            _percent(one["accuracy"]),
            " / ".join(f"{value:.1%}" for value in one["by_seed"]),
            f"{one['tokens']:.1f}",
            f"{one['thinks']:.0%}",
            _points(one["thinklogit_lead"]),
            ", ".join(one["settings"]),
        ]
        for one in result["table"]
    ]
    print_table(["", "right", "seeds", "tokens", "thinks", "THINKLOGIT leads by", "chosen on dev"], rows)
    print("\nguiders tuned further, paired (points)")
    for one in result["variants"]:
        by_seed = " / ".join(f"{100 * lead:+.1f}" for lead in one["lead_by_seed"])
        print(f"{one['row']} over {one['over']}: {_points(one['lead'])}; seeds {one['seeds']}: {by_seed}")
    print("\nby the guider's strength")
    names = (TARGET, GUIDER, ENSEMBLE, GUIDED)
    rows = [
        [f"{one['steps']} steps", *(f"{one['accuracy'][n][0]:.1%}" for n in names)]
        + [_points(one["thinklogit_lead"][n]) for n in names[:-1]]
        for one in result["sweep"]
    ]
    print_table(["", *names, *(f"lead over {n}" for n in names[:-1])], rows)


def _percent(found: Sequence[float]) -> str:
    return "{:.1%} [{:.1%}, {:.1%}]".format(*found)


def _points(found: Sequence[float]) -> str:
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * value for value in found))


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Accuracy by steps of the problem, and by the guider's strength."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8), dpi=150, layout="constrained")
    by_problem, by_strength = figure.subplots(1, 2)
    table = {one["row"]: one for one in result["table"]}
    for name in (TARGET, GUIDER, ENSEMBLE, GUIDED):
        if name in table:
            points = table[name]["by_steps"]
            by_problem.plot([int(n) for n in points], list(points.values()), marker="o", label=name)
        values = [one["accuracy"][name] for one in result["sweep"]]
        steps = [one["steps"] for one in result["sweep"]]
        line = by_strength.plot(steps, [v[0] for v in values], marker="o", label=name)[0]
        by_strength.fill_between(
            steps, [v[1] for v in values], [v[2] for v in values], alpha=0.2, color=line.get_color()
        )
    by_problem.set(xlabel="operations in the problem", ylabel="right", ylim=(0, 1))
    by_strength.set(xlabel="steps of the guider's tuning", ylabel="right", ylim=(0, 1), xscale="log")
    strengths = [one["steps"] for one in result["sweep"]]
    by_strength.set_xticks(strengths, [f"{steps:,}" for steps in strengths])
    by_strength.minorticks_off()
    for axes in (by_problem, by_strength):
        axes.legend(fontsize=7)
        axes.grid(alpha=0.25)
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dir", type=Path, required=True, help="that `thinklogit_bed.bed` filled")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, … of the bed")
    parser.add_argument("--n", type=int, default=2000, help="test problems")
    parser.add_argument("--dev", type=int, default=300, help="problems on which settings are chosen")
    parser.add_argument("--only", type=int, help="answer for this seed alone, and judge nothing")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS, help="beside the main rows")
    parser.add_argument("--kept-only", action="store_true", help="judge what was answered; answer nothing")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    sets = (
        list(generate("calibration", options.dev, seed=DEV_SEED)),
        list(generate("test", options.n, seed=TEST_SEED)),
    )
    if options.only is not None:
        measure(Exam(options.dir, options.only, *sets), options.parts)
        return
    seeds = range(options.seeds)
    if not all(_is_there(options.dir, seed, STRENGTH) for seed in seeds):
        raise SystemExit(
            f"{options.dir} lacks models: run thinklogit_bed.bed and thinklogit_bed.variants first."
        )
    measured = {
        seed: measure(Exam(options.dir, seed, *sets, kept_only=options.kept_only), options.parts)
        for seed in seeds
    }
    tables: dict[str, dict[int, Row]] = {}
    for seed, one in measured.items():
        for name, row in one["table"].items():
            tables.setdefault(name, {})[seed] = row
    levels = np.array([problem.level for problem in sets[1]], dtype=np.float64)
    result = {
        "strength": STRENGTH,
        "table": judge(tables, levels),
        "variants": compare_variants(tables),
        "sweep": crossover(measured),
        "costs": costs(options.dir, seeds),
    }
    show(result)
    told = {"seeds": options.seeds, "n": options.n, "dev": options.dev, "parts": " ".join(options.parts)}
    write_json("thinklogit", {**provenance("thinklogit.py", told), **result}, options.results)
    draw(result, options.results / "thinklogit.png")


if __name__ == "__main__":
    main()
