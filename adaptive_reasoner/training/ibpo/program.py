"""The integer program of IBPO: which sampled responses a batch is trained on (arXiv 2501.17974).

    max  sum_ij w_ij m_ij    s.t.    sum_j w_ij <= 1,    sum_ij w_ij 1{deep} <= q n,    w_ij in {0, 1}

The margin m_ij is a response's reward minus the mean reward of the other mode on the same prompt. A response
without a reward is never chosen. Where all margins are 0 because both modes are right, the fast response is kept;
where both are wrong, none is.
"""

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.errors import ConfigurationError

Floats = NDArray[np.float64]
NONE = -1
# Settles ties in favour of the fast mode; below any margin that a handful of samples can have.
_FAST_BONUS = 1e-4


@dataclass(frozen=True, slots=True)
class Rewards:
    """Rewards of the responses sampled to n prompts: fast (n, K) and deep (n, K'), usually 0 or 1."""

    fast: Floats
    deep: Floats

    def __post_init__(self) -> None:
        shapes = (self.fast.shape, self.deep.shape)
        if any(len(shape) != 2 or not shape[1] for shape in shapes) or shapes[0][0] != shapes[1][0]:
            raise ConfigurationError(
                f"Rewards have the shapes {shapes[0]} and {shapes[1]}; both modes need at least one response "
                "to each of the same prompts."
            )
        if not (np.isfinite(self.fast).all() and np.isfinite(self.deep).all()):
            raise ConfigurationError(
                "A reward is not a finite number; the verifier must give one a response."
            )

    @property
    def gain(self) -> Floats:
        """(n,) mean deep reward minus mean fast reward."""
        return self.deep.mean(axis=1) - self.fast.mean(axis=1)

    def margins(self) -> tuple[Floats, Floats]:
        """Margins of the fast (n, K) and of the deep (n, K') responses."""
        return (
            self.fast - self.deep.mean(axis=1, keepdims=True),
            self.deep - self.fast.mean(axis=1, keepdims=True),
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The program's solution: (n,) index of the chosen response of each mode, or NONE."""

    fast: NDArray[np.int64]
    deep: NDArray[np.int64]

    @property
    def share(self) -> float:
        """Share of all prompts that got a deep response."""
        return float((self.deep != NONE).mean()) if len(self.deep) else 0.0


def solve(rewards: Rewards, share: float | None) -> Chosen:
    """Choose at most one response a prompt.

    Args:
        rewards: of n prompts; a larger batch makes the solution less dependent on the luck of its draws.
        share: q, the largest share of prompts that may get a deep response; None: no limit.

    Raises:
        ConfigurationError: `share` is outside 0..1.
    """
    check_share(share)
    weights = _maximise(_values(rewards), rewards.fast.shape[1], share)
    fast, deep = np.split(weights, [rewards.fast.shape[1]], axis=1)
    return Chosen(_chosen(fast), _chosen(deep))


def check_share(share: float | None) -> None:
    """Refuse a thinking share outside 0..1.

    Raises:
        ConfigurationError: it is.
    """
    if share is not None and not 0.0 <= share <= 1.0:
        raise ConfigurationError(f"The thinking share is {share}; it must lie between 0 and 1.")


def _values(rewards: Rewards) -> Floats:
    """(n, K + K') what each response is worth; -inf where it must not be chosen."""
    fast, deep = rewards.margins()
    values = np.concatenate([fast + _FAST_BONUS, deep], axis=1)
    rewarded = np.concatenate([rewards.fast, rewards.deep], axis=1) > 0
    return np.where(rewarded & (values > 0), values, -np.inf)


def _maximise(values: Floats, fast: int, share: float | None) -> NDArray[np.bool_]:
    """(n, K + K') the best 0/1 weights; the first `fast` columns are fast responses."""
    optimize: Any = import_module("scipy.optimize")
    sparse: Any = import_module("scipy.sparse")
    count, width = values.shape
    allowed: NDArray[np.bool_] = np.isfinite(values)
    if not allowed.any():
        return allowed
    one_each = sparse.kron(sparse.csr_array(np.eye(count)), np.ones((1, width)))
    constraints = [optimize.LinearConstraint(one_each, ub=1.0)]
    if share is not None:
        is_deep = np.array([column >= fast for column in range(width)] * count, dtype=np.float64)
        # 1e-9: 0.3 * 10 is a little more than 3
        constraints.append(optimize.LinearConstraint(is_deep[None, :], ub=math.floor(share * count + 1e-9)))
    found: Any = optimize.milp(
        -np.where(allowed, values, 0.0).reshape(-1),
        integrality=np.ones(values.size),
        bounds=optimize.Bounds(0.0, allowed.reshape(-1).astype(np.float64)),
        constraints=constraints,
    )
    return np.asarray(found.x).reshape(count, width) > 0.5


def _chosen(weights: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(weights.any(axis=1), weights.argmax(axis=1), NONE)
