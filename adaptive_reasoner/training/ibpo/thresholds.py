"""The thresholds of the auto mode: P(<think>) from which a given share of questions is thought about.

    python -m adaptive_reasoner.training.ibpo.thresholds --weights FOLDER

They are quantiles on the calibration split, written into the weights' model.json; the weights stay as they are.
Training holds the share on average over draws; a threshold holds it for the likelier mode, at any of the shares.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.embedded.dialogue import render_prompt
from adaptive_reasoner.embedded.first_token import think_logits
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.weights import read_weights

SHARES = (25, 50, 75)
_PROBLEMS = 20_000


def find_thresholds(logits: NDArray[np.float64], shares: Sequence[int] = SHARES) -> dict[str, float]:
    """Percentage of questions -> P(<think>) that this share of them reaches.

    Args:
        logits: (n,) log P(<think>) - log P(<fast>).
        shares: percentages.
    """
    probabilities = np.exp(-np.logaddexp(0.0, -logits))
    return {str(share): float(np.quantile(probabilities, 1.0 - share / 100)) for share in shares}


def write_thresholds(weights: Path, count: int = _PROBLEMS, seed: int = 11) -> dict[str, float]:
    """Find the thresholds of exported weights and write them into their model.json.

    Args:
        weights: folder with model.npz and model.json.
        count: calibration problems.
        seed: decides them.
    """
    runtime = Runtime(read_weights(weights))
    problems = generate("calibration", count, seed=seed)
    logits = think_logits(runtime, [render_prompt([("user", problem.question)]) for problem in problems])
    thresholds = find_thresholds(logits)
    path = weights / "model.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["auto"] = {"thresholds": thresholds, "split": "calibration", "n": count, "seed": seed}
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
    return thresholds


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the thresholds and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--weights", type=Path, required=True, help="folder with model.npz and model.json")
    parser.add_argument("--n", type=int, default=_PROBLEMS, help="calibration problems")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args(arguments)
    print(json.dumps(write_thresholds(options.weights, options.n, options.seed)))


if __name__ == "__main__":
    main()
