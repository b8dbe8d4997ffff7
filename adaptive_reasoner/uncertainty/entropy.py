"""Token entropy from truncated top lists: honest bounds instead of a renormalised guess. Vectorised; nats."""

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np

from adaptive_reasoner.uncertainty.columns import Floats
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

# The largest vocabularies in wide use (o200k) are about this large; a smaller one only loosens the bound.
VOCABULARY_SIZE = 200_000

# A tail this small may be rounding of 32-bit probabilities: it counts for the upper bound only.
ROUNDING_MASS = 1e-6

# Below this is no log probability; its square would overflow.
_LEAST = -1e9

Bounds = tuple[Floats, Floats, Floats]


def token_bounds(tokens: Sequence[TokenLogprob]) -> Bounds:
    """`entropy_bounds` of n tokens, each array of shape (n,)."""
    return entropy_bounds(top_matrix(tokens))


def top_matrix(tokens: Sequence[TokenLogprob]) -> Floats:
    """Top log probabilities as one array of shape (tokens, longest list), padded with -inf.

    A token that is missing from its own list is added to it: its probability is known too.
    """
    rows = [_with_chosen(token) for token in tokens]
    lengths = list(map(len, rows))
    longest = max(lengths, default=1)
    flat = np.fromiter(chain.from_iterable(rows), dtype=np.float64, count=sum(lengths))
    flat = np.where(flat < _LEAST, -np.inf, np.minimum(flat, 0.0))
    if min(lengths, default=0) == longest:
        return flat.reshape(len(rows), longest)
    matrix = np.full((len(rows), longest), -np.inf)
    matrix[np.arange(longest) < np.array(lengths, dtype=np.int64)[:, None]] = flat
    return matrix


def entropy_bounds(top_logprobs: Floats, vocabulary_size: int = VOCABULARY_SIZE) -> Bounds:
    """Bounds of each token's entropy over the whole vocabulary, and the mass that its list covers.

    With r the mass outside the list of k tokens and H the entropy of the list plus r as one more symbol, the
    true entropy lies in [H, H + r ln(V - k)]: the tail is one token at least and spread evenly at most.

    Args:
        top_logprobs: shape (n, k), natural logarithms, -inf where a list is shorter.
        vocabulary_size: V, the number of tokens that the model can give.

    Returns:
        Lower bounds, upper bounds (nats) and covered masses in [0, 1], each of shape (n,).
    """
    listed = np.isfinite(top_logprobs)
    logprobs = np.where(listed, top_logprobs, 0.0)
    probabilities = np.where(listed, np.exp(np.minimum(logprobs, 0.0)), 0.0)
    covered = np.minimum(probabilities.sum(axis=1), 1.0)
    tail = 1.0 - covered
    inside = np.maximum(-(probabilities * logprobs).sum(axis=1), 0.0)
    outside = -tail * np.log(np.where(tail > 0, tail, 1.0))
    spread = np.log(np.maximum(vocabulary_size - listed.sum(axis=1), 1))
    lower = inside + np.where(tail > ROUNDING_MASS, outside, 0.0)
    return lower, inside + outside + tail * spread, covered


def perplexity(logprobs: Sequence[float]) -> float:
    """Exponential of the mean negative log probability of n >= 1 chosen tokens; 1 is certain."""
    mean = sum(logprobs) / len(logprobs)
    return math.exp(min(-mean, 700.0))  # beyond e**709 a float overflows


def _with_chosen(token: TokenLogprob) -> list[float]:
    top = token.top
    listed = [logprob for _, logprob in top]
    return listed if any(text == token.token for text, _ in top) else [token.logprob, *listed]
