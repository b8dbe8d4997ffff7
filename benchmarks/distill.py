"""Distillation with adaptive thinking: students of three sizes, taught by the embedded model's deep mode.

    python benchmarks/distill.py --directory checkpoints/distill --teacher 30000 --steps 5000 --n 2000

makes the dataset, trains what is missing in the directory (each run goes on where it was stopped), and measures on
fresh problems of the test split. For each size there are three trainings: think first only, answer first only, and
both with a perception module; "fixed mix" flips a coin that thinks as often as perception does. The small student is
trained on both once more without weights for hard examples. "large" starts from the shipped weights, the others
from scratch. `--train-only` and `--measure-only` part the work; `--only small` takes one size.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measuring.distilled import Student, perception_figures, policies, read_student, table
from measuring.rationale_gate import CORRUPTIONS, explain, judge
from measuring.report import RESULTS, print_table, provenance, write_json

from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.embedded.runtime import shipped_runtime

SIZES = ("small", "medium", "large")
KINDS: dict[str, tuple[str, ...]] = {
    "think": ("think_first",),
    "answer": ("answer_first",),
    "both": ("think_first", "answer_first"),
}
_PERCEIVED = 4000  # problems of the calibration split that perception is fitted on
_PRETRAINED_SHARE = 0.4  # of the steps, for the student that starts from weights which know the task
_PRETRAINED_PEAK = 0.05  # of both learning rates; 0.3 cost it 8 points of its fast answers


def make_data(directory: Path, count: int, seed: int) -> Path:
    """The teacher's worked answers, kept as they come; hard ones weigh as by default."""
    from adaptive_reasoner.training.distill.card import write_dataset
    from adaptive_reasoner.training.distill.dataset import Candidate, DatasetConfig, build_dataset
    from adaptive_reasoner.training.distill.embedded_teacher import SHIPPED, ask_embedded

    folder, kept = directory / "data", directory / "candidates.jsonl"
    if (folder / "card.json").is_file():
        return folder
    kept.touch()
    known = len(kept.read_text(encoding="utf-8").splitlines())
    problems = list(generate("train", count, seed=seed))[known:]
    with kept.open("a", encoding="utf-8") as lines:
        for candidate in ask_embedded(
            problems, SHIPPED, lambda done: print(f"teacher: {known + done:,}", flush=True)
        ):
            lines.write(json.dumps(asdict(candidate)) + "\n")
    rows = kept.read_text(encoding="utf-8").splitlines()[:count]
    made = build_dataset(
        (Candidate(**json.loads(row)) for row in rows), DatasetConfig(calibration=14.0, test=0.0)
    )
    write_dataset(folder, made, licence="MIT")
    return folder


def runs_of(sizes: Sequence[str], steps: int) -> dict[str, dict[str, Any]]:
    """Name of a training -> what differs in its settings."""
    runs: dict[str, dict[str, Any]] = {}
    for size in sizes:
        for kind, orders in KINDS.items():
            runs[f"{size}-{kind}"] = {"size": size, "orders": orders, "steps": steps}
            if size == "large":
                taken = max(1, int(steps * _PRETRAINED_SHARE))
                runs[f"{size}-{kind}"] |= {"steps": taken, "pretrained": True, "peak": _PRETRAINED_PEAK}
    if "small" in sizes:
        runs["small-both-unweighted"] = {**runs["small-both"], "weighted": False}
    return runs


def train(directory: Path, data: Path, runs: dict[str, dict[str, Any]], *, fuse: bool) -> None:
    """Train every student that is not finished."""
    from adaptive_reasoner.training.distill.config import StudentConfig
    from adaptive_reasoner.training.distill.embedded_student import train_student
    from adaptive_reasoner.training.distill.embedded_teacher import SHIPPED

    for name, changes in runs.items():
        folder = directory / name
        if (folder / "done").is_file():
            continue
        print(f"training {name}", flush=True)
        settings = {key: value for key, value in changes.items() if key != "pretrained"}
        weights = SHIPPED if changes.get("pretrained") else None
        train_student(StudentConfig(data=data, directory=folder, weights=weights, compile=fuse, **settings))
        if len(changes["orders"]) > 1:
            perceive(folder)
        (folder / "done").touch()


def perceive(folder: Path) -> None:
    """Fit perception to more questions than the dataset holds apart: only their right answers are needed."""
    from adaptive_reasoner.training.distill.embedded_perception import fit_student_perception
    from adaptive_reasoner.training.distill.examples import DistillExample

    problems = generate("calibration", _PERCEIVED, seed=7)
    examples = [DistillExample(question=p.question, answer=str(p.answer), rationale="-") for p in problems]
    print(f"{folder.name}: {fit_student_perception(folder, examples).figures}", flush=True)


def students_of(directory: Path, size: str, problems: Sequence[Problem], seed: int) -> dict[str, Student]:
    names = [f"{size}-{kind}" for kind in KINDS] + (["small-both-unweighted"] if size == "small" else [])
    folders = [directory / name for name in names if (directory / name / "done").is_file()]
    found: dict[str, Student] = {}
    for folder in folders:
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        print(f"asking {folder.name}", flush=True)
        found[folder.name.removeprefix(f"{size}-")] = read_student(folder, about, problems, seed)
    return found


def measure(
    students: dict[str, Student], problems: Sequence[Problem], calibration: Sequence[Problem]
) -> dict[str, Any]:
    """Everything about one size."""
    both = students["both"]
    singles = {"think_first": students["think"], "answer_first": students["answer"]}
    rows = table(policies(both, singles), problems)
    by_name = {row["policy"]: row for row in rows}
    adaptive, think = by_name["adaptive"], by_name["think first only"]
    result: dict[str, Any] = {
        "parameters": both.about["provenance"]["parameters"],
        "provenance": {name: one.about["provenance"] for name, one in students.items()},
        "policies": rows,
        "goals": {
            "lead_over_think_first": think["adaptive_leads_by"],
            "token_share_of_think_first": adaptive["token_share_of_think_first"],
            "lead_over_answer_first": by_name["answer first only"]["adaptive_leads_by"],
        },
        "perception": perception_figures(both),
        "rationale_gate": rationale_gate(both, problems, calibration),
    }
    if "both-unweighted" in students:
        plain = students["both-unweighted"]
        found = policies(plain, singles)
        result["unweighted"] = {
            name: {"accuracy": float(found[name].right.mean()), "tokens": float(found[name].tokens.mean())}
            for name in ("both learned, always think", "both learned, always answer", "adaptive")
        }
        result["perception_unweighted"] = perception_figures(plain)
    return result


def rationale_gate(
    both: Student, problems: Sequence[Problem], calibration: Sequence[Problem]
) -> dict[str, Any]:
    known, test = explain(both.runtime, calibration), explain(both.runtime, problems)
    think = both.answers["think_first"]
    found: dict[str, Any] = {}
    for corruption in CORRUPTIONS:
        figures, curves = judge(known, test, think, corruption)
        found[corruption] = {**figures, "curves": curves}
    return found


def show(size: str, result: dict[str, Any]) -> None:
    print(f"\n{size}: {result['parameters']:,} parameters")
    rows = []
    for row in result["policies"]:
        one, steps = row["accuracy"], row["by_steps"]
        rows.append(
            [
                row["policy"],
                f"{one['share']:.1%} [{one['low']:.1%}, {one['high']:.1%}]",
                f"{row['tokens']:.1f}",
                f"{row['token_share_of_think_first']:.0%}",
                *(f"{steps[level]['share']:.0%}" for level in steps),
                "{difference:+.1%} [{low:+.1%}, {high:+.1%}]".format(**row["adaptive_leads_by"]),
            ]
        )
    print_table(["", "right", "tokens", "share", *"123456", "adaptive leads by"], rows)
    told = result["perception"]
    print(
        f"perception thinks on {told['thinks']:.1%} (oracle {told['oracle_thinks']:.1%}), AUROC "
        f"{told['auroc_thinking_helps']['auroc']:.3f}, closes {told['gap_mix_to_oracle_closed']:.0%} of mix to oracle"
    )
    if "unweighted" in result:
        print(f"without weights: {json.dumps(result['unweighted'])}")
    rows = [
        [name, *(f"{one['auroc_for_wrong'][signal]['auroc']:.3f}" for signal in ("entropy", "agreement", "both")),
         f"{one['rationale_read']['share']:.0%}", f"{one['wrong_if_contradicted']['share'] or 0:.1%}",
         f"{one['wrong_if_agreed']['share'] or 0:.1%}"]
        for name, one in result["rationale_gate"].items()
    ]  # fmt: skip
    print_table(
        ["rationale", "entropy", "agreement", "both", "read", "wrong | contra", "wrong | agrees"], rows
    )


def draw(results: dict[str, Any], path: Path) -> None:
    """Accuracy over tokens, one panel a size: the policies as points, the gates as curves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(results), 4.6), dpi=130, layout="constrained")
    panels: Any = figure.subplots(1, len(results), squeeze=False)[0]
    markers = "osD^v*P"
    for axes, (size, result) in zip(panels, results.items(), strict=True):
        for row, marker in zip(result["policies"], markers, strict=True):
            axes.plot(
                [row["tokens"]], [100 * row["accuracy"]["share"]], marker, label=row["policy"], markersize=8
            )
        for name, dash in (("entropy", "--"), ("agreement", ":"), ("both", "-")):
            x, y = zip(*result["rationale_gate"]["whole"]["curves"][name], strict=True)
            label = f"gate: {name}" + ("" if name == "entropy" else " (pays the rationale)")
            axes.plot(x, [100 * a for a in y], dash, linewidth=1.2, label=label, color="grey")
        axes.set(xlabel="generated tokens per problem", title=f"{size}, {result['parameters']:,} parameters")
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("right answers, %")
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--directory", type=Path, required=True, help="keeps dataset and students")
    parser.add_argument("--teacher", type=int, default=30_000, help="problems that the teacher works out")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--n", type=int, default=2000, help="fresh test problems")
    parser.add_argument("--calibration", type=int, default=1500, help="problems that the gate is fitted on")
    parser.add_argument("--seed", type=int, default=505)
    parser.add_argument("--only", choices=SIZES, action="append", help="a size; repeat it")
    parser.add_argument("--data-only", action="store_true", help="before several sizes are trained at once")
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--measure-only", action="store_true")
    parser.add_argument("--no-compile", dest="fuse", action="store_false", help="no C++ compiler")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    sizes = tuple(options.only or SIZES)
    options.directory.mkdir(parents=True, exist_ok=True)
    if not options.measure_only:
        data = make_data(options.directory, options.teacher, seed=1)
        if options.data_only:
            return
        train(options.directory, data, runs_of(sizes, options.steps), fuse=options.fuse)
    if options.train_only:
        return
    problems = list(generate("test", options.n, seed=options.seed))
    calibration = list(generate("calibration", options.calibration, seed=options.seed))
    results: dict[str, Any] = {}
    for size in sizes:
        students = students_of(options.directory, size, problems, options.seed)
        if {"think", "answer", "both"} <= students.keys():
            results[size] = measure(students, problems, calibration)
            show(size, results[size])
    told: dict[str, Any] = {"directory": options.directory.name}
    told |= {name: getattr(options, name) for name in ("teacher", "steps", "n", "calibration", "seed")}
    card = json.loads((options.directory / "data" / "card.json").read_text(encoding="utf-8"))
    header = {
        **provenance("distill.py", told),
        "dataset": card,
        "teacher": shipped_runtime().weights.fingerprint,
    }
    write_json("distill", {**header, "sizes": results}, options.results)
    if results:
        draw(results, options.results / "distill.png")


if __name__ == "__main__":
    main()
