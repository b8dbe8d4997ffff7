"""The auto mode that IBPO trained into the embedded model, at three thinking shares, on fresh problems.

    python benchmarks/ibpo.py --n 10000 --seed 303 --control checkpoints/ibpo-free --processes 4

Every problem is answered in both modes and asked for its first token; then each policy chooses a mode for each
problem, so that all differences are paired. The thresholds are those in the weights' model.json, found on the
calibration split. Rivals are cut on the test problems to exactly the share that the auto mode had, which favours
them. The control is trained the same way without the constraint (`adaptive-reasoner train ibpo --no-constraint`).
"""

import argparse
import json
import multiprocessing
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage
from measuring.report import RESULTS, Progress, print_table, provenance, write_json
from measuring.thinking_share import (
    Answered,
    Flags,
    Floats,
    bootstrap_gap,
    cut,
    gap_closed,
    oracle,
    paired_lead,
    share_interval,
)

import adaptive_reasoner
from adaptive_reasoner.embedded.batch import generate_batch
from adaptive_reasoner.embedded.dialogue import Mode, answer_text, render_prompt
from adaptive_reasoner.embedded.first_token import think_logits, threshold_for
from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.weights import read_weights
from adaptive_reasoner.gate.statistics import auroc
from adaptive_reasoner.triage.linear import load_packaged

SHARES = (25, 50, 75)
SHIPPED = Path(adaptive_reasoner.__file__).parent / "embedded" / "weights"
AUTO = "auto mode (IBPO)"
_CHUNK = 256
_ARRAYS = ("fast", "deep", "fast_tokens", "deep_tokens", "think_logits")


def answer_all(weights: Path, problems: Sequence[Problem], processes: int) -> Answered:
    """Answer every problem greedily in both modes, and read its first token."""
    chunks = [problems[start : start + _CHUNK] for start in range(0, len(problems), _CHUNK)]
    progress, parts = Progress(weights.name, len(chunks)), []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for part in pool.imap(partial(_answer_chunk, weights), chunks):
            parts.append(part)
            progress(len(parts))
    return Answered(*(np.concatenate([part[name] for part in parts]) for name in _ARRAYS))


def _answer_chunk(weights: Path, problems: Sequence[Problem]) -> dict[str, Any]:
    runtime = Runtime(read_weights(weights))
    prompts = [render_prompt([("user", problem.question)]) for problem in problems]
    found: dict[str, Any] = {"think_logits": think_logits(runtime, prompts)}
    modes: tuple[Mode, ...] = ("fast", "deep")
    for mode in modes:
        answers = list(zip(generate_batch(runtime, prompts, mode), problems, strict=True))
        found[mode] = np.array([a.text.strip() == answer_text(p.answer) for a, p in answers])
        found[f"{mode}_tokens"] = np.array([float(len(a.tokens)) for a, _ in answers])
    return found


def policies(ours: Answered, linear: Floats, control: Answered | None, thinks: Flags) -> dict[str, Any]:
    """Rightness and tokens of every policy that thinks as often as `thinks` does."""
    count, share = int(thinks.sum()), float(thinks.mean())

    def outcome(model: Answered, chosen: Flags) -> tuple[Floats, Floats]:
        return model.right(chosen), model.tokens(chosen)

    found = {
        AUTO: outcome(ours, thinks),
        "random": ours.random(share),
        "linear text triage": outcome(ours, cut(linear, count)),
        "oracle": outcome(ours, oracle(ours, count)),
    }
    if control is not None:
        chosen = cut(control.think_logits, count)
        found["unconstrained, its own answers"] = outcome(control, chosen)
        found["unconstrained, our answers"] = outcome(ours, chosen)
    return found


def judge(
    share: int, ours: Answered, threshold: float, rivals: tuple[Floats, Answered | None]
) -> dict[str, Any]:
    """One thinking share: the auto mode beside its rivals."""
    probabilities = np.exp(-np.logaddexp(0.0, -ours.think_logits))
    thinks = probabilities >= threshold
    found = policies(ours, *rivals, thinks)
    right, (random, best) = found[AUTO][0], (found["random"][0], found["oracle"][0])
    rows: list[dict[str, Any]] = []
    for name, (outcome, tokens) in found.items():
        lead, interval = paired_lead(right, outcome)
        rows.append(
            {
                "policy": name,
                "accuracy": float(outcome.mean()),
                "tokens": float(tokens.mean()),
                "gap_closed": gap_closed(outcome, random, best),
                "auto_lead": lead,
                "auto_lead_interval": interval,
            }
        )
    return {
        "share_wanted": share / 100,
        "threshold": threshold,
        "share": float(thinks.mean()),
        "share_interval": share_interval(thinks),
        "gap_closed": gap_closed(right, random, best),
        "gap_closed_interval": bootstrap_gap(right, random, best, 1000),
        "policies": rows,
    }


def ends(ours: Answered) -> dict[str, Any]:
    """What never and always thinking give, and how well each score ranks the wrong fast answers."""
    never = np.zeros(len(ours.fast), dtype=np.bool_)
    return {
        name: {"accuracy": float(ours.right(chosen).mean()), "tokens": float(ours.tokens(chosen).mean())}
        for name, chosen in (("never", never), ("always", ~never))
    }


def likelier_mode(model: Answered) -> dict[str, Any]:
    """What a model does by its likelier first token, without a calibrated threshold."""
    thinks = model.think_logits >= 0
    return {
        "share": float(thinks.mean()),
        "share_interval": share_interval(thinks),
        "accuracy": float(model.right(thinks).mean()),
        "tokens": float(model.tokens(thinks).mean()),
    }


def show(result: dict[str, Any]) -> None:
    for name, end in result["ends"].items():
        print(f"{name} thinking: {end['accuracy']:.2%} right, {end['tokens']:.1f} tokens")
    for name, one in result["likelier_mode"].items():
        low, high = one["share_interval"]
        print(
            f"{name}, likelier mode: thinks on {one['share']:.1%} [{low:.1%}, {high:.1%}], {one['accuracy']:.2%} "
            f"right, {one['tokens']:.1f} tokens"
        )
    for one in result["shares"]:
        low, high = one["share_interval"]
        print(
            f"\nq = {one['share_wanted']:.0%}: thinks on {one['share']:.1%} [{low:.1%}, {high:.1%}]; gap random to "
            "oracle closed {:.1%} [{:.1%}, {:.1%}]".format(one["gap_closed"], *one["gap_closed_interval"])
        )
        rows = [
            [
                row["policy"],
                f"{row['accuracy']:.2%}",
                f"{row['tokens']:.1f}",
                f"{row['gap_closed']:.1%}",
                f"{row['auto_lead']:+.2%}",
                "[{:+.2%}, {:+.2%}]".format(*row["auto_lead_interval"]),
            ]
            for row in one["policies"]
        ]
        print_table(["", "right", "tokens", "gap closed", "auto leads by", "95 %"], rows)


def draw_training(log: Path, path: Path) -> None:
    """The training curve: losses, and what each round's fresh prompts showed."""
    from matplotlib.figure import Figure

    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    # a run that was resumed repeats the steps after its checkpoint
    steps = {entry["step"]: entry for entry in entries if "loss" in entry}.values()
    rounds = {entry["round"]: entry for entry in entries if "round" in entry}.values()
    figure = Figure(figsize=(11, 3.8), dpi=150, layout="constrained")
    losses, shares, rewards = figure.subplots(1, 3)
    for name, label in (("loss", "tokens (rehearsal and responses)"), ("mode_loss", "mode token")):
        losses.plot([e["step"] for e in steps], [e[name] for e in steps], label=label)
    losses.set(xlabel="step", ylabel="loss (nats)", yscale="log")
    named = (("share", "thinks (likelier mode)"), ("mean_probability", "mean P(think)"), ("price", "price"))
    for axes, curves in (
        (shares, named),
        (rewards, (("accuracy", "auto"), ("fast", "fast"), ("deep", "deep"))),
    ):
        for name, label in curves:
            axes.plot([e["step"] for e in rounds], [e[name] for e in rounds], marker=".", label=label)
    shares.set(xlabel="step", ylabel="share of fresh training prompts", ylim=(0, 1))
    rewards.set(xlabel="step", ylabel="mean reward at temperature 1", ylim=(0, 1))
    for axes in (losses, shares, rewards):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.25)
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=303)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="folder with model.npz and model.json")
    parser.add_argument("--control", type=Path, help="folder of the unconstrained run")
    parser.add_argument("--log", type=Path, help="log.jsonl of the training run, for ibpo-training.png")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    problems = list(generate("test", options.n, seed=options.seed))
    ours = answer_all(options.weights, problems, options.processes)
    control = answer_all(options.control, problems, options.processes) if options.control else None
    estimator = load_packaged("embedded")
    texts = [[HumanMessage(problem.question)] for problem in problems]
    linear = np.array([estimator.estimate(text)["gain"] if estimator else 0.0 for text in texts])
    runtime = Runtime(read_weights(options.weights))
    scores = {AUTO: ours.think_logits, "linear text triage": linear}
    models = {AUTO: ours, "unconstrained": control}
    result = {
        "ends": ends(ours),
        "likelier_mode": {name: likelier_mode(model) for name, model in models.items() if model is not None},
        "auroc_for_fast_wrong": {name: auroc(score, ~ours.fast) for name, score in scores.items()},
        "shares": [judge(q, ours, threshold_for(runtime, q), (linear, control)) for q in SHARES],
    }
    show(result)
    print(f"\nAUROC for a wrong fast answer: {result['auroc_for_fast_wrong']}")
    told = {
        "n": options.n,
        "seed": options.seed,
        "control": options.control.name if options.control else None,
    }
    header = {**provenance("ibpo.py", told), "weights": runtime.weights.fingerprint}
    write_json("ibpo", {**header, **result}, options.results)
    if options.log:
        draw_training(options.log, options.results / "ibpo-training.png")


if __name__ == "__main__":
    main()
