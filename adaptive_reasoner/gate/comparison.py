"""Accept if better: whether a fast answer should stand although the deep model has answered, too."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate.features import FEATURES, feature_values
from adaptive_reasoner.state import Signal

# An unmeasured deep answer loses against a surer fast one only where such answers are more often wrong than right.
_MOSTLY_WRONG = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Which of two answers to the same question is right, where just one of them is.

    Without weights it knows nothing: the deep answer stands.

    Attributes:
        features: names from `FEATURES`, taken of both signals.
        fast_weights: one for each feature of the fast answer's signal.
        deep_weights: one for each feature of the deep answer's signal.
        bias: with the weighted features, the log odds that the deep answer is the right one.
        unmeasured_error: share of wrong ones among deep answers without a signal; None where none were seen.
    """

    features: tuple[str, ...] = ()
    fast_weights: tuple[float, ...] = ()
    deep_weights: tuple[float, ...] = ()
    bias: float = 0.0
    unmeasured_error: float | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown:
            raise ProfileError(f"Unknown feature {unknown[0]!r}; known are: {', '.join(FEATURES)}.")
        if not len(self.features) == len(self.fast_weights) == len(self.deep_weights):
            raise ProfileError("A comparison needs one weight a feature for each of the two answers.")
        if not all(map(math.isfinite, (*self.fast_weights, *self.deep_weights, self.bias))):
            raise ProfileError("The weights and the bias of a comparison must be finite numbers.")

    def log_odds(self, fast: Signal, deep: Signal) -> float:
        """Log odds that the deep answer is right and the fast one wrong; both of kind "logprobs"."""
        values = [*feature_values(fast, self.features), *feature_values(deep, self.features)]
        weights = [*self.fast_weights, *self.deep_weights]
        return self.bias + sum(weight * value for weight, value in zip(weights, values, strict=True))

    def keeps_fast(self, fast: Signal, deep: Signal) -> bool | None:
        """True if the fast answer should stand; None where the comparison does not apply.

        Args:
            fast: with its risk, if it is known.
            deep: of the answer to the same question.
        """
        if fast["kind"] != "logprobs":
            return None
        if deep["kind"] == "logprobs":
            return self.log_odds(fast, deep) < 0
        error, risk = self.unmeasured_error, fast["risk"]
        if deep["kind"] != "unknown" or error is None or risk is None:
            return None
        return error > _MOSTLY_WRONG and risk < error

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `comparison_from_json` reads it."""
        return asdict(self)


def comparison_from_json(data: Any) -> Comparison:
    """Read a profile's comparison.

    Raises:
        ProfileError: `data` is no comparison; the message says why.
    """
    try:
        error = data.get("unmeasured_error")
        return Comparison(
            features=tuple(map(str, data["features"])),
            fast_weights=_numbers(data["fast_weights"]),
            deep_weights=_numbers(data["deep_weights"]),
            bias=float(data["bias"]),
            unmeasured_error=None if error is None else float(error),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        if isinstance(error, ProfileError):
            raise
        raise ProfileError(f"The comparison is malformed: {type(error).__name__}: {error}.") from error


def _numbers(data: Sequence[Any]) -> tuple[float, ...]:
    return tuple(map(float, data))
