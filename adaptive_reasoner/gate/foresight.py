"""What triage foresaw and the answer does not show: a share of the predicted gain that still counts afterwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from adaptive_reasoner.errors import CalibrationError, ProfileError
from adaptive_reasoner.gate.curve import Floats
from adaptive_reasoner.state import Triage


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """Adds to the expected gain of thinking what one estimator predicted, as far as calibration trusts it.

    Attributes:
        source: the estimator's name, as `Triage` has it; other estimators' and rules' numbers are not used.
        slope: P(right) to add for each P(right) that was predicted above the usual, >= 0.
        usual: mean prediction in calibration.
    """

    source: str
    slope: float
    usual: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and math.isfinite(self.usual) and self.slope >= 0):
            raise ProfileError(
                "A foresight's slope must be a number of at least 0, and its usual gain a number."
            )

    def shift(self, triage: Triage | None) -> float:
        """What to add to the expected gain, in P(right)."""
        if triage is None or triage["source"] != self.source:
            return 0.0
        return self.slope * (triage["gain"] - self.usual)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `dataclasses.asdict` gave; errors are those of missing or wrong fields."""
        return cls(source=str(data["source"]), slope=float(data["slope"]), usual=float(data["usual"]))


def fit_foresight(predicted: Sequence[Triage | None], gains: Floats, expected: Floats) -> Foresight | None:
    """How much of the predicted gain is still news once the answer's risk is known; None if nothing certain.

    One slope, by least squares on what the expected gain leaves unexplained. It shrinks by its own variance
    (positive-part James-Stein) and is never negative, so that an estimator that knows nothing about these
    questions adds next to nothing.

    Args:
        predicted: n estimates of one estimator, made without these questions' labels; None where there is none.
        gains: shape (n,), what thinking did: 1 mended, -1 broken, 0 neither.
        expected: shape (n,), the gain that is expected from the risk alone.

    Raises:
        CalibrationError: a prediction is no finite number.
    """
    known = [(index, triage) for index, triage in enumerate(predicted) if triage is not None]
    sources = {triage["source"] for _, triage in known}
    if len(known) < 2 or len(sources) != 1:
        return None
    rows = np.array([index for index, _ in known])
    foreseen = np.array([triage["gain"] for _, triage in known], dtype=np.float64)
    if not np.isfinite(foreseen).all():
        raise CalibrationError(
            f"A triage prediction of {sources.pop()} is no finite number; repair the estimator or leave it out."
        )
    usual = float(foreseen.mean())
    news, left = foreseen - usual, (gains - expected)[rows]
    scale = float(news @ news)
    if scale < 1e-12:
        return None
    slope = float(news @ left) / scale
    variance = float(np.mean((left - slope * news) ** 2)) / scale
    kept = slope - variance / slope if slope > 0 else 0.0
    return Foresight(source=sources.pop(), slope=kept, usual=usual) if kept > 0 else None
