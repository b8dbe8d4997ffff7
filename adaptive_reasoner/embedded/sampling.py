"""From logits to a token: greedy or by temperature, and what is reported about the choice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.embedded.weights import FloatArray

MAX_TOP_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class TokenScores:
    """Natural-log probabilities at one position: at temperature 1, before any token is forced or forbidden.

    Attributes:
        logprob: of the token that was taken.
        top_ids: (k,) the k most probable tokens, best first.
        top_logprobs: (k,) theirs.
    """

    logprob: float
    top_ids: NDArray[np.int64]
    top_logprobs: FloatArray


class Sampler:
    """Chooses tokens for one sequence; the same seed and row choose the same, alone or in a batch.

    Args:
        temperature: 0 takes the most probable token.
        seed: None draws fresh randomness.
        row: index of the sequence in its batch.
    """

    def __init__(self, temperature: float, seed: int | None = None, row: int = 0) -> None:
        self._temperature = temperature
        self._random = None
        if temperature > 0:
            self._random = np.random.default_rng(None if seed is None else [abs(seed), row])

    def choose(self, logits: FloatArray) -> int:
        """Choose from (vocab,) logits, of which forbidden ones are -inf."""
        if self._random is None:
            return int(logits.argmax())
        scaled = (logits.astype(np.float64) - logits.max()) / self._temperature
        cumulative = np.cumsum(np.exp(scaled))
        drawn = float(cumulative[-1]) * self._random.random()
        return int(np.count_nonzero(cumulative <= drawn))


def log_softmax(logits: FloatArray) -> FloatArray:
    """Natural-log probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def score_tokens(logits: FloatArray, tokens: NDArray[np.int64], top: int) -> list[TokenScores]:
    """Report on chosen tokens.

    Args:
        logits: (rows, vocab), raw.
        tokens: (rows,) ids of the chosen tokens.
        top: alternatives to list, 0 to 20.
    """
    logprobs = log_softmax(logits)
    rows = np.arange(len(tokens))
    chosen = logprobs[rows, tokens].tolist()
    ids = _top_ids(logprobs, top)
    listed = logprobs[rows[:, None], ids]
    return [TokenScores(chosen[row], ids[row], listed[row]) for row in range(len(tokens))]


def _top_ids(logprobs: FloatArray, top: int) -> NDArray[np.int64]:
    """(rows, top) ids, best first."""
    if top == 0:
        return np.empty((len(logprobs), 0), dtype=np.int64)
    candidates = np.argpartition(logprobs, -top, axis=1)[:, -top:]
    rows = np.arange(len(logprobs))[:, None]
    order = np.argsort(-logprobs[rows, candidates], axis=1, kind="stable")
    return candidates[rows, order]
