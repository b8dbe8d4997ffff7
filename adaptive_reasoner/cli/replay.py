"""`adaptive-reasoner replay`: what would this gate have cost and scored on recorded answers?"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli import recording_options as options
from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.gate.profile import GateProfile


def replay(
    file: options.File = None,
    fast: options.FastFile = None,
    deep: options.DeepFile = None,
    where: options.Where = None,
    profile: Annotated[
        Path | None, typer.Option(help="Gate profile, from `calibrate`; else the one shipped for the model.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Instead: think where 1 - p is above this.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Replay only so many questions.")] = None,
    prices: Annotated[
        Path | None,
        typer.Option(help='JSON: {"model": {"input": 0.15, "output": 0.6}}, USD a million tokens.'),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the frontier to this PNG.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Run the real graph over recorded answers: accuracy, calls, tokens, money, and what other thresholds give."""
    from adaptive_reasoner.budget import PriceTable
    from adaptive_reasoner.traces.frontier import draw_frontier, judge
    from adaptive_reasoner.traces.replay import replay as run
    from adaptive_reasoner.traces.replay_report import find_drift, summarise, what_if

    if plot is not None and find_spec("matplotlib") is None:
        raise MissingExtraError(
            '--plot needs matplotlib: pip install "adaptive-reasoner[bench]" installs it.'
        )
    table = PriceTable.load(prices) if prices else None
    pairs = options.read_pairs(file, fast, deep, where, needs_deep=True)[:limit]
    gate = _gate(profile, threshold, str(pairs[0].fast.get("model") or ""))
    replayed = run(pairs, gate, progress=_progress(len(pairs)))
    judged = judge(pairs, gate)
    report: dict[str, Any] = {
        **summarise(pairs, replayed, table),
        "gate": {"kind": gate.kind, "model": gate.model, "provenance": dict(gate.provenance)},
        "drift": find_drift(gate, replayed),
        "what_if": what_if(judged),
    }
    if plot is not None:
        draw_frontier(judged, (report["thinking_share"], report["accuracy"]["mean"]), plot)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _print(report)


def _gate(path: Path | None, threshold: float | None, model: str) -> "GateProfile":
    from adaptive_reasoner.gate.profile import GateProfile
    from adaptive_reasoner.gate.shipped import profile_for
    from adaptive_reasoner.gate.warm_up import plain_threshold

    if path is not None and threshold is not None:
        raise ConfigurationError("--profile and --threshold are two gates; give one.")
    if threshold is not None:
        return plain_threshold(threshold)
    return GateProfile.load(path) if path is not None else profile_for(model)


def _progress(total: int) -> Any:
    if not sys.stderr.isatty():
        return None

    def show(done: int) -> None:
        end = "\n" if done == total else ""
        print(f"\rreplayed {done} of {total}", end=end, file=sys.stderr, flush=True)

    return show


def _print(report: dict[str, Any]) -> None:
    models, gate = report["models"], report["gate"]
    print(
        f"{report['questions']} questions, {models['fast']} -> {models['deep']} thinking; gate: {gate['kind']}"
    )
    for name in ("accuracy", "always_fast", "always_thinking", "either_right"):
        row = report[name]
        print(f"  {name.replace('_', ' '):<18}{row['mean']:.4f}  [{row['low']:.4f}, {row['high']:.4f}]")
    row = report["against_always_thinking"]
    print(f"  {'- always thinking':<18}{row['mean']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]")
    calls, sure = report["calls"], report["accepted_as_sure"]
    kept = report["fast_kept_after_thinking"]
    print(f"Calls: {calls['fast']} fast, {calls['deep']} thinking ({report['thinking_share']:.1%}); {kept} times the "
          "fast answer was kept after thinking")  # fmt: skip
    if sure["error"] is not None:
        print(f"Accepted as sure: {sure['share']:.1%}, {sure['error']:.2%} of them wrong")
    for mode, tokens in report["tokens"].items():
        print(f"Tokens, {mode}: {tokens['input']} in, {tokens['output']} out (counted in the recorded texts)")
    if report["cost_usd"] is not None:
        print(f"Cost: {report['cost_usd']:.4f} USD")
    _print_drift(report["drift"])
    _print_frontier(report["what_if"])


def _print_drift(drift: dict[str, Any]) -> None:
    for name, watch in drift.items():
        if watch:
            verdict = "DRIFT" if watch["is_drift"] else "as expected"
            print(
                f"Rate of {name}: {watch['observed'] or 0:.3f}, calibrated {watch['expected']:.3f}: {verdict}"
            )


def _print_frontier(frontier: dict[str, Any]) -> None:
    print("Another threshold would have done:\n  thinking  threshold  accuracy  (one threshold on 1 - p)")
    rows = zip(frontier["thresholds"], frontier["one_threshold_on_1_minus_p"], strict=True)
    for point, plain in rows:
        print(
            f"  {point['share']:>7.0%}  {point['threshold']:>9.4f}  {point['accuracy']:>8.4f}  {plain['accuracy']:.4f}"
        )
    if frontier["apgr"] is None:
        print("  APGR is unknown: thinking gains nothing on these questions")
    else:
        print(
            f"  APGR {frontier['apgr']:.3f}, of one threshold on 1 - p {frontier['apgr_one_threshold']:.3f}"
        )
