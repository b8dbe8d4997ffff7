"""What the log keeps of a round of sampling."""

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.training.ibpo.program import Chosen, Rewards

Floats = NDArray[np.float64]


def round_figures(rewards: Rewards, think_logits: Floats, chosen: Chosen) -> dict[str, float]:
    """Shares and mean rewards, all in 0..1.

    Args:
        rewards: of the round's n prompts.
        think_logits: (n,) log P(think) - log P(fast).
        chosen: the program's solution.

    Returns:
        share: prompts on which thinking is the likelier mode; mean_probability: of thinking; chosen_share: of the
        program; accuracy: of the likelier modes, at temperature 1; fast and deep: of one mode throughout.
    """
    thinks: NDArray[np.bool_] = think_logits > 0
    probabilities: Floats = np.exp(-np.logaddexp(0.0, -think_logits))
    fast: Floats = rewards.fast.mean(axis=1)
    deep: Floats = rewards.deep.mean(axis=1)
    reached: Floats = np.where(thinks, deep, fast)
    return {
        "share": float(thinks.mean()),
        "mean_probability": float(probabilities.mean()),
        "chosen_share": chosen.share,
        "accuracy": float(reached.mean()),
        "fast": float(fast.mean()),
        "deep": float(deep.mean()),
    }
