"""How the mode token learns: think where the expected margin is above the price of the thinking budget.

The integer program sees what each draw turned out to be; the mode token has to decide before. So it is trained
with the reduced margins of the same program, `m - price`: `<think>` weighs (m - price)+ and `<fast>` weighs
(price - m)+. With margins of 0 and 1, P(think) exceeds one half exactly where the expected margin exceeds the
price, and the price that spends the share q is the (1 - q) quantile of the expected margins. A prompt on which
both modes are right or both are wrong has margin 0 and teaches `<fast>`: thinking would buy nothing there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NEUTRAL = 0.5  # at this price P(think) is the expected margin itself: no share is asked for
_LIMITS = (0.01, 0.99)
_STEP = 0.5  # the policy follows a new price with a delay


def mode_weights(gains: Floats, price: float) -> tuple[Floats, Floats]:
    """Weights of `-log P(think)` and of `-log P(fast)` for each prompt.

    Args:
        gains: (n,) expected margin of thinking, in 0..1; below 0 counts as 0.
        price: the budget's dual price, in (0, 1).

    Returns:
        Two (n,) arrays that sum to n together, so that the price does not change the rate of learning.
    """
    bounded = np.clip(gains, 0.0, 1.0)
    # E[(m - price)+] and E[(price - m)+] of a margin that is 1 with probability `gain` and else 0
    think, fast = bounded * (1.0 - price), (1.0 - bounded) * price
    scale = len(bounded) / max(float((think + fast).sum()), 1e-12)
    return think * scale, fast * scale


@dataclass(slots=True)
class Price:
    """The dual price, moved so that the policy thinks on the share that is asked for.

    Attributes:
        share: q; None leaves the price where it is.
        value: the price now.
    """

    share: float | None
    value: float = NEUTRAL

    def follow(self, think_logits: Floats) -> None:
        """Move towards the price at which the (1 - q) quantile of these prompts is undecided.

        Args:
            think_logits: (n,) log P(think) - log P(fast) of the policy on fresh prompts.
        """
        if self.share is None or not len(think_logits):
            return
        excess = float(np.quantile(think_logits, 1.0 - self.share))
        moved = 1.0 / (1.0 + np.exp(-(_logit(self.value) + _STEP * excess)))
        self.value = float(np.clip(moved, *_LIMITS))


def _logit(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-probability))
