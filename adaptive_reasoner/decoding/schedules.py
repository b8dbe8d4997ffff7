"""How strongly to guide at which token: alpha as a function of the tokens generated so far."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from adaptive_reasoner.errors import ConfigurationError


@runtime_checkable
class AlphaSchedule(Protocol):
    """Gives alpha for the next token."""

    def at(self, generated: int) -> float:
        """Alpha for the token that follows `generated` >= 0 tokens of the answer."""
        ...


@dataclass(frozen=True, slots=True)
class ConstantAlpha:
    """The same alpha for every token."""

    alpha: float = 1.0

    def __post_init__(self) -> None:
        _check_finite(self.alpha)

    def at(self, generated: int) -> float:  # noqa: ARG002
        """Always `alpha`."""
        return self.alpha


@dataclass(frozen=True, slots=True)
class WarmupAlpha:
    """The target writes its first tokens alone.

    Attributes:
        alpha: after the warm-up.
        tokens: generated without guidance; the paper's first code took 100.
    """

    alpha: float = 1.0
    tokens: int = 100

    def __post_init__(self) -> None:
        _check_finite(self.alpha)
        if self.tokens < 0:
            raise ConfigurationError(f"The warm-up must be 0 tokens or more, not {self.tokens}.")

    def at(self, generated: int) -> float:
        """0 for the first `tokens` tokens, then `alpha`."""
        return 0.0 if generated < self.tokens else self.alpha


def _check_finite(alpha: float) -> None:
    if not isinstance(alpha, (int, float)) or not math.isfinite(alpha):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"alpha must be a finite number, not {alpha!r}; 1.0 is the paper's.")


@dataclass(frozen=True, slots=True)
class BoundedAlpha:
    """Guidance for the first tokens only: a budget of guided thinking, after which the target goes on alone.

    Attributes:
        inner: gives alpha until then.
        tokens: guided ones.
    """

    inner: AlphaSchedule
    tokens: int

    def at(self, generated: int) -> float:
        """`inner`'s alpha for the first `tokens` tokens, then 0."""
        return self.inner.at(generated) if generated < self.tokens else 0.0
