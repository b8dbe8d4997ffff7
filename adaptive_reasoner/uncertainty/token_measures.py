"""What each token says on its own, from its top list: arrays over the tokens of any number of answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.uncertainty.entropy import ROUNDING_MASS, Floats, entropy_bounds, top_matrix
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

_MOST_SURPRISE = 1e9  # nats; beyond it a sum may overflow


@dataclass(frozen=True, slots=True)
class TokenMeasures:
    """One value for each of n tokens; every array has the shape (n,).

    Attributes:
        logprob: of the chosen token, natural logarithm.
        entropy_lower: see `entropy_bounds`; nats.
        entropy_upper: the same interval's other end; nats.
        covered: the mass that the top list covers.
        varentropy: variance of the surprise -ln p, all that is not listed counted as one symbol; nats squared.
        margin: p of the most probable token less p of the next. Where one token is listed, the next may hold all
            that is left; it is never below 0.
        confidence: DeepConf's C = -(mean log probability of the top list), k as it arrived; high is peaked. NaN,
            unknown, where fewer than two tokens are listed.
    """

    logprob: Floats
    entropy_lower: Floats
    entropy_upper: Floats
    covered: Floats
    varentropy: Floats
    margin: Floats
    confidence: Floats

    def take(self, index: NDArray[np.int64]) -> "TokenMeasures":
        """The tokens at m places, in their order."""
        return TokenMeasures(
            logprob=self.logprob[index],
            entropy_lower=self.entropy_lower[index],
            entropy_upper=self.entropy_upper[index],
            covered=self.covered[index],
            varentropy=self.varentropy[index],
            margin=self.margin[index],
            confidence=self.confidence[index],
        )


def token_measures(tokens: Sequence[TokenLogprob]) -> TokenMeasures:
    """Measure n tokens, of one answer or of thousands.

    Source of `confidence`: DeepConf, arXiv 2508.15260. Its lists hold the k most probable tokens; here the chosen
    token counts too where it is none of them.
    """
    logprob = np.fromiter((token.logprob for token in tokens), dtype=np.float64, count=len(tokens))
    top = top_matrix(tokens)
    lower, upper, covered = entropy_bounds(top)
    return TokenMeasures(
        logprob=np.clip(logprob, -_MOST_SURPRISE, 0.0),
        entropy_lower=lower,
        entropy_upper=upper,
        covered=covered,
        varentropy=_varentropy(top, lower, 1.0 - covered),
        margin=_margin(top, 1.0 - covered),
        confidence=_confidence(top),
    )


def _varentropy(top: Floats, entropy: Floats, tail: Floats) -> Floats:
    """E[(ln p)^2] - H^2, with the same symbols as the entropy's lower bound."""
    listed = np.where(np.isfinite(top), top, 0.0)
    inside = (_probabilities(top) * listed**2).sum(axis=1)
    is_symbol = tail > ROUNDING_MASS
    outside = np.where(is_symbol, tail * np.log(np.where(is_symbol, tail, 1.0)) ** 2, 0.0)
    return np.maximum(inside + outside - entropy**2, 0.0)


def _margin(top: Floats, tail: Floats) -> Floats:
    probabilities = _probabilities(top)
    if top.shape[1] == 1:
        return np.maximum(probabilities[:, 0] - tail, 0.0)
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    alone = np.isfinite(top).sum(axis=1) < 2
    return np.maximum(two[:, 1] - np.where(alone, tail, two[:, 0]), 0.0)


def _confidence(top: Floats) -> Floats:
    listed = np.isfinite(top)
    count = listed.sum(axis=1)
    total = np.where(listed, top, 0.0).sum(axis=1)
    return np.where(count > 1, -total / np.maximum(count, 1), np.nan)


def _probabilities(top: Floats) -> Floats:
    return np.where(np.isfinite(top), np.exp(np.minimum(top, 0.0)), 0.0)
