"""One turn of the flywheel on a shifted distribution: before and after, cost and accuracy.

    python benchmarks/flywheel.py --shift lookup --traffic 2500 --questions 2000 --seeds 3 --student checkpoints/lookup

Traffic: 70 % of the questions shifted (`measuring/shifted.py`), through the real graph with what ships, kept in a trace
store; for a random share a checker stands in for the person who writes the right answer down. One turn refits gate and
triage to these runs, makes a student of the first seed's, and judges all on held-out ones. Then, on fresh problems that
no run holds, what was in use before, what the turn ships for each seed, and the student with its gate and triage,
shipped or not: shifted problems, and those the model was trained on (what was known must not be forgotten). The
models answer in batches beforehand, but for requests to refine; on a sample it is counted how often the live model,
asked token by token, makes a difference. Intervals: 95 %, bootstrap over questions; changes are paired.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring.report import print_table, provenance, write_json
from measuring.shifted import draw_traffic
from measuring.turned import (
    SAVED,
    Bench,
    Setting,
    as_table,
    ask_shard,
    live_differs,
    measure,
    one_turn,
    record_shard,
    setting_of,
)

from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.traces.runs import load_runs
from adaptive_reasoner.traces.store.trace_store import TraceStore
from adaptive_reasoner.training.flywheel.asking import System
from adaptive_reasoner.training.flywheel.policy import Policy
from adaptive_reasoner.training.flywheel.turn import Step, TurnConfig

SHIFTED_SHARE = 0.7
_SHARDS = 6
_SAMPLE = 100  # problems on which prepared answers are held against the live model
_NAMES = {"words": "other words", "lookup": "chains and shops", "outside": "outside"}
_STUDENT = "student"


def shards(problems: Sequence[Problem]) -> list[Sequence[Problem]]:
    size = -(-len(problems) // _SHARDS)
    return [problems[start : start + size] for start in range(0, len(problems), size)]


def record(url: str, traffic: Sequence[Problem], labelled: float, pool: ProcessPoolExecutor) -> None:
    """Fill the store, unless a run that was stopped has done so."""
    TraceStore(url).close()
    if Path(url.removeprefix("sqlite:///")).with_suffix(".done").is_file():
        return
    done = sum(pool.map(partial(record_shard, url, labelled), enumerate(shards(traffic))))
    Path(url.removeprefix("sqlite:///")).with_suffix(".done").touch()
    print("recorded", done, flush=True)


def make_student(
    url: str, traffic: Sequence[Problem], now: Policy, given: argparse.Namespace
) -> tuple[dict[str, Any], Setting]:
    """The student of a store's runs, held against the gate and the triage that the turn left in use."""
    from adaptive_reasoner.training.flywheel.known import known_questions
    from adaptive_reasoner.training.flywheel.student import turn_student
    from adaptive_reasoner.training.flywheel.student_config import StudentTurn

    runs = load_runs(url).runs
    known = {one.question for one in known_questions(runs)}
    fast, deep = Bench([one for one in traffic if one.question in known]).models(None)
    present = System(fast, deep, now.gate, now.triage)
    settings = StudentTurn(directory=given.student, steps=given.steps, tries=given.tries)
    found = turn_student(runs, present, TurnConfig(seed=given.seed), settings, partial(print, flush=True))
    if found.policy is None:
        raise SystemExit(f"no student: {found.step.refused}")
    told = {**step_of(found.step), "gate": found.policy.gate.provenance}
    if found.promise:
        told["promise"] = {
            "what": found.promise.what,
            "most": found.promise.most,
            **found.promise.seen.to_json(),
        }
    return told, setting_of(found.policy, ("gate", "triage"), found.folder)


def step_of(step: Step) -> dict[str, Any]:
    return {
        "part": step.part,
        "refused": step.refused,
        "held_out": step.compared and step.compared.to_json(),
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--traffic", type=int, default=2500, help="recorded runs a seed")
    parser.add_argument("--labelled", type=float, default=0.8, help="share that a person labels")
    parser.add_argument(
        "--questions", type=int, default=2000, help="fresh shifted problems; half as many known ones"
    )
    parser.add_argument("--shift", choices=tuple(_NAMES), default="words")
    parser.add_argument("--seed", type=int, default=0, help="of the first turn")
    parser.add_argument(
        "--seeds", type=int, default=1, help="turns of gate and triage, each on traffic of its own"
    )
    parser.add_argument(
        "--student", type=Path, help="make one of the first turn's runs; the folder lets it resume"
    )
    parser.add_argument("--steps", type=int, default=400, help="of the student's training")
    parser.add_argument(
        "--tries", type=int, default=4, help="thoughts drawn for a question until one is right"
    )
    parser.add_argument("--stores", type=Path, help="folder that keeps the trace stores")
    parser.add_argument("--processes", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    given = parse()
    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool,
    ):
        run(given, given.stores or Path(folder), pool)


def run(given: argparse.Namespace, folder: Path, pool: ProcessPoolExecutor) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    systems: dict[str, Setting] = {"before": Setting()}
    turns: list[dict[str, Any]] = []
    told: dict[str, Any] | None = None
    for seed in range(given.seed, given.seed + given.seeds):
        url = f"sqlite:///{folder / f'{given.shift}-{seed}.sqlite'}"
        traffic = draw_traffic("calibration", given.traffic, seed, SHIFTED_SHARE, given.shift)
        record(url, traffic, given.labelled, pool)
        found, after = one_turn(url, seed)
        print(seed, *(f"{step.part}: {step.refused or 'shipped'};" for step in found.steps), flush=True)
        turns.append({"seed": seed, "fitted": found.fitted, "steps": [step_of(step) for step in found.steps]})
        systems[f"gate and triage, seed {seed}"] = after
        if given.student and seed == given.seed:
            told, systems[_STUDENT] = make_student(url, traffic, found.policy, given)
            print("student:", told["refused"] or "shipped", flush=True)
    fresh = {
        _NAMES[given.shift]: draw_traffic("test", given.questions, given.seed + 101, 1.0, given.shift),
        "known": draw_traffic("test", given.questions // 2, given.seed + 102, 0.0),
    }
    sample = next(iter(fresh.values()))[:_SAMPLE]
    differs = {name: live_differs(sample, systems[name]) for name in ("before", _STUDENT) if name in systems}
    ask = partial(ask_shard, list(systems.values()))
    results = {
        name: measure(
            as_table([row for shard in pool.map(ask, shards(problems)) for row in shard]),
            list(systems),
            given.seed,
        )
        for name, problems in fresh.items()
    }
    show(results)
    content = {
        "provenance": provenance("flywheel.py", {name: _plain(value) for name, value in vars(given).items()}),
        "prepared_differs_from_live": {"problems": len(sample), **differs},
        "turns": turns,
        "student": told,
        "fresh": results,
    }
    write_json("flywheel" if given.shift == "words" else f"flywheel_{given.shift}", content)


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, Path) else value


def show(results: dict[str, Any]) -> None:
    header = ["fresh problems", "", "wrong", "tokens", "thinks"]
    rows: list[list[str]] = []
    for name, one in results.items():
        for system, figures in one.items():
            if system == "questions":
                continue
            rows.append([name, system, *(_cell(figures[figure], figure) for figure in SAVED)])
            if "change" in figures:
                rows.append(
                    ["", "change", *(_cell(figures["change"][figure], figure, "+") for figure in SAVED)]
                )
    print_table(header, rows)


def _cell(figure: dict[str, Any], name: str, sign: str = "") -> str:
    low, high = figure["interval"]
    form = f"{sign}.1f" if name == "tokens" else f"{sign}.1%"
    return f"{figure['mean']:{form}} [{low:{form}}, {high:{form}}]"


if __name__ == "__main__":
    main()
