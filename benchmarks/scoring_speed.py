"""Tokens a second from a decoded response to a verdict, beside what other projects compute from it.

    python benchmarks/scoring_speed.py --rounds 30 --uqlm-path <folder that holds uqlm>

Ours parses, checks that the tokens add up to the text, finds the answer span, measures it, computes the calibrated
risk and decides. The others compute their numbers from the list of entries; they check nothing. All take turns on the
same responses, round by round, in processor time. `pip install uqlm` brings the real scorers, of which only the
modules that score are imported; without it their published formulas are timed, and the results say so.

uqlm's first scorer reads one number a token and no top list: it is shown, and is no measure of reading twenty.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from measuring.report import Progress, print_table, provenance, write_json
from measuring.responses import make_response, recorded_responses
from measuring.scoring_peers import uqlm_scorers, weave_formulas

from adaptive_reasoner.config import Situation
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.uncertainty import measure, measure_batch, parse_response, score_tokens

LENGTHS = (8, 60, 250, 1000)
TOKENS_PER_LENGTH = 3000
OURS, BATCH, ALONE = "adaptive_reasoner", "all measures, batch", "all measures, one by one"
_SITUATION = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False)
_GOAL = 3.0
_WARM_UP = 2

Response = Mapping[str, Any]
Runner = Callable[[], Any]


def response_sets() -> dict[str, list[Response]]:
    """Responses by their length, with about as many tokens in each set; real ones where the data are there."""
    made = {
        f"{length} tokens": [
            make_response(length, seed) for seed in range(max(TOKENS_PER_LENGTH // length, 1))
        ]
        for length in LENGTHS
    }
    recorded = recorded_responses()
    return {**made, **({"recorded": recorded * 40} if recorded else {})}


def count_tokens(responses: Sequence[Response]) -> int:
    return sum(len(_entries(response)) for response in responses)


def _entries(response: Response) -> list[dict[str, Any]]:
    return response["choices"][0]["logprobs"]["content"]


def runners_for(
    responses: Sequence[Response], peers: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Runner]:
    """One way each to go through the same responses."""
    profile = profile_for("adaptive-reasoner-embedded")

    def verdict(response: Response) -> Any:
        return profile.decide(score_tokens(parse_response(response)), _SITUATION)

    def runner(score: Callable[[Any], Any], given: Sequence[Any]) -> Runner:
        return lambda: [score(one) for one in given]

    entries = [_entries(response) for response in responses]
    parsed = [parse_response(response) for response in responses]
    return {
        OURS: runner(verdict, responses),
        **{name: runner(score, entries) for name, score in peers.items()},
        ALONE: runner(measure, parsed),
        BATCH: lambda: measure_batch(parsed),
    }


def time_rounds(runners: Mapping[str, Runner], rounds: int, report: Progress) -> dict[str, np.ndarray]:
    """Seconds of processor time of each run, shape (rounds,); the order changes from round to round."""
    for run in runners.values():
        for _ in range(_WARM_UP):
            run()
    times: dict[str, list[float]] = {name: [] for name in runners}
    names = list(runners)
    for index in range(rounds):
        for name in names[index % len(names) :] + names[: index % len(names)]:
            started = time.process_time()
            runners[name]()
            times[name].append(time.process_time() - started)
        report(index + 1)
    return {name: np.array(values) for name, values in times.items()}


def ratio_of(theirs: np.ndarray, ours: np.ndarray, seed: int = 0) -> dict[str, float]:
    """How many times as fast ours is: ratio of median times, 95 % interval from 2,000 resampled sets of rounds."""
    rows = np.random.default_rng(seed).integers(0, len(ours), (2000, len(ours)))
    ratios = np.median(theirs[rows], axis=1) / np.median(ours[rows], axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975]).tolist()
    return {"value": float(np.median(theirs) / np.median(ours)), "low": low, "high": high}


def summarise(times: Mapping[str, np.ndarray], tokens: int) -> dict[str, Any]:
    """Tokens a second of each and the ratios: ours to the others', and the batch to measuring one by one."""
    result: dict[str, Any] = {"tokens": tokens, "rounds": len(times[OURS])}
    for name, values in times.items():
        base = {OURS: None, ALONE: None, BATCH: times[ALONE]}.get(name, times[OURS])
        result[name] = {"tokens_per_second": tokens / float(np.median(values))}
        if name == BATCH and base is not None:
            result[name]["times_as_fast_as_one_by_one"] = ratio_of(base, values)
        elif base is not None:
            result[name]["ours_is_times_as_fast"] = ratio_of(values, base)
    return result


def show(name: str, summary: Mapping[str, Any]) -> None:
    print(f"\n{name}: {summary['tokens']} tokens, {summary['rounds']} rounds")
    rows: list[list[str]] = []
    for label, one in summary.items():
        if not isinstance(one, dict):
            continue
        ratio = one.get("ours_is_times_as_fast") or one.get("times_as_fast_as_one_by_one")
        shown = "{value:.2f} [{low:.2f}, {high:.2f}]".format(**ratio) if ratio else ""
        rows.append([label, f"{one['tokens_per_second'] / 1e3:,.0f}", shown])
    print_table(["", "thousand tokens/s", "ratio"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument(
        "--uqlm-path", default=None, help="folder that holds the package uqlm, where not installed"
    )
    options = parser.parse_args(arguments)
    scorers, source = uqlm_scorers(options.uqlm_path)
    peers = {"weave loop's formulas": weave_formulas, **scorers}
    load, results = os.getloadavg(), dict[str, Any]()
    for name, responses in response_sets().items():
        runners = runners_for(responses, peers)
        times = time_rounds(runners, options.rounds, Progress(name, options.rounds))
        results[name] = summarise(times, count_tokens(responses))
        show(name, results[name])
    print(f"\nGoal: {_GOAL:g} times the faster of those that read top lists. uqlm: {source}.")
    machine = {"processors": os.cpu_count(), "load_average_1_5_15_minutes": load}
    given = {"rounds": options.rounds}
    write_json(
        "scoring_speed",
        {
            **provenance("scoring_speed.py", given),
            **machine,
            "uqlm": source,
            "goal": _GOAL,
            "results": results,
        },
    )


if __name__ == "__main__":
    main()
