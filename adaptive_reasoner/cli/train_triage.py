"""`adaptive-reasoner train triage`: predicts the gain of thinking for a user's own pair of models."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def triage(
    file: Annotated[
        str,
        typer.Argument(
            help="Questions with the outcomes of both modes, as JSON Lines (question or messages, fast_correct, "
            "deep_correct; perhaps group) or CSV (prompt, weak, strong; perhaps family); .gz too. Also labelled runs: "
            "a file of JSON Lines, or a trace store's URL."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Write the estimator here.")] = Path("triage.json"),
    pair: Annotated[str, typer.Option(help="Name of the two models, for reports.")] = "own",
    share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Think at once about this share of the questions; 0 only informs."),
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fit triage to recorded outcomes; it says on questions left out what the fit is worth, or refuses."""
    from adaptive_reasoner.training.triage.train import train_triage

    estimator = train_triage(file, out, pair=pair, share=share, seed=seed)
    found: dict[str, Any] = dict(estimator.provenance)
    if as_json:
        bound = estimator.think_at_gain
        typer.echo(json.dumps({"estimator": str(out), "pair": pair, "think_at_gain": bound, **found}))
    else:
        _print(found, out, estimator.think_at_gain)


def _print(found: dict[str, Any], out: Path, bound: float | None) -> None:
    held_out = found["held_out"]
    low, high = held_out["apgr_interval"]
    print(f"{out}: from {found['questions']} questions, fast {found['fast_accuracy']:.1%} right, "
          f"deep {found['deep_accuracy']:.1%}")  # fmt: skip
    print(f"  APGR on questions left out: {held_out['apgr']:.3f} [{low:.3f}, {high:.3f}]; random order .5, "
          f"prompt length {held_out['prompt_length_apgr']:.3f}")  # fmt: skip
    print("  over prompt length, paired, 95 %: [{:+.3f}, {:+.3f}]".format(*held_out["over_length_interval"]))
    if bound is None:
        print("  informs only: the gate decides")
    else:
        print(f"  thinks at once from a gain of {bound:.3f}: {found['thinks_at_once']:.0%} of such questions")
    print(f'  use it: ReasonerConfig(triage=LinearEstimator.load("{out}"))')
