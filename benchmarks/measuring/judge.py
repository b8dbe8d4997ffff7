"""Measures methods against random mixing and the oracle."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from measuring.saving import Line, References, Resamples, interval, tokens_at

POINTS_BELOW_DEEP = 0.5


@dataclass(frozen=True, slots=True)
class Judge:
    """Measures lines against random mixing and the oracle."""

    references: References
    resamples: Resamples

    @property
    def target(self) -> np.ndarray:
        """Always-deep's accuracy less half a point, in every resample."""
        return self.resamples.mean(self.references.deep.right) - POINTS_BELOW_DEEP / 100

    def at_target(self, line: Line) -> np.ndarray | None:
        """The share of saving at the target in every resample; None where the line does not reach it."""
        accuracies, tokens = line.means(self.resamples)
        needed = tokens_at(accuracies, tokens, self.target)
        return self.references.share(self.resamples, self.target, needed) if np.isfinite(needed[0]) else None

    def row(self, line: Line) -> dict[str, Any]:
        """Figures of one method; of a single point also the share at its own accuracy."""
        accuracies, tokens = line.means(self.resamples)
        shares = self.at_target(line)
        row: dict[str, Any] = {"method": line.name, "points": len(line.points)}
        if shares is not None:
            row["tokens_at_target"] = float(tokens_at(accuracies, tokens, self.target)[0])
            row["share_at_target"] = float(shares[0])
            row["share_at_target_interval"] = interval(shares)
        if len(line.points) == 1:
            own = self.references.share(self.resamples, accuracies[:, 0], tokens[:, 0])
            row |= {
                "accuracy": float(accuracies[0, 0]),
                "accuracy_interval": interval(accuracies[:, 0]),
                "tokens": float(tokens[0, 0]),
                "tokens_interval": interval(tokens[:, 0]),
                "share_at_own_accuracy": float(own[0]) if np.isfinite(own[0]) else None,
                "share_at_own_accuracy_interval": interval(own),
            }
        else:
            row["line"] = np.column_stack([tokens[0], accuracies[0]]).round(5).tolist()
        return row
