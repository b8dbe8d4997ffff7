"""When a fast answer's stream is cut: its confidence has fallen so low that the verdict can only be "escalate".

The rule is DeepConf's online one (arXiv 2508.15260): a window slides over the tokens as they come, and the stream is
cut at the first window whose mean is at or below a threshold. Window, threshold and what is averaged are fitted in
calibration (`early_cut_fitting`); a profile without them never cuts. DeepConf averages its token confidence alone,
over 2,048 tokens; answers here are short, and the entropy often foretells the verdict better: deviations.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, cast, get_args

import numpy as np

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.state import Cut
from adaptive_reasoner.uncertainty.entropy import Floats
from adaptive_reasoner.uncertainty.token_measures import TokenMeasures, token_measures
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, find_fault

# What a window is a mean of, high is sure, nats: DeepConf's C, minus the entropy's lower bound, ln p of the token.
Certainty = Literal["confidence", "entropy", "logprob"]
_WORDS: dict[Certainty, str] = {
    "confidence": "confidence",
    "entropy": "negative entropy",
    "logprob": "log probability",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyCut:
    """The rule, and what calibration may promise of it.

    Attributes:
        certainty: what is averaged.
        window: tokens in a window, at least 1; a shorter answer is never cut.
        threshold: a window whose mean is at or below it cuts; nats.
        max_accepted: at most this share of the cut answers would have stood, in (0, 1).
        confidence: with which that holds, in [.5, 1).
        cut: answers that the rule cut of those that it was tested on.
        accepted: how many of these would have stood.
    """

    certainty: Certainty
    window: int
    threshold: float
    max_accepted: float
    confidence: float
    cut: int = 0
    accepted: int = 0

    def __post_init__(self) -> None:
        if self.certainty not in get_args(Certainty):
            raise ProfileError(
                f"An early cut looks at {', '.join(get_args(Certainty))}, not {self.certainty!r}."
            )
        if self.window < 1 or not math.isfinite(self.threshold):
            raise ProfileError("An early cut needs a window of at least 1 token and a finite threshold.")
        if not 0 < self.max_accepted < 1 or not 0.5 <= self.confidence < 1:
            raise ProfileError("An early cut promises a share in (0, 1) with a confidence in [.5, 1).")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `to_json` gave.

        Raises:
            ProfileError: `data` is no early cut; the message says why.
        """
        try:
            fields = cast("Mapping[str, Any]", data)
            return cls(
                certainty=fields["certainty"],
                window=int(fields["window"]),
                threshold=float(fields["threshold"]),
                max_accepted=float(fields["max_accepted"]),
                confidence=float(fields["confidence"]),
                cut=int(fields["cut"]),
                accepted=int(fields["accepted"]),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            if isinstance(error, ProfileError):
                raise
            raise ProfileError(f"The early cut is malformed: {type(error).__name__}: {error}.") from error


class StreamWatch:
    """Watches one stream; `sees` says when to cut it."""

    def __init__(self, rule: EarlyCut) -> None:
        self.rule = rule
        self._newest: deque[float] = deque(maxlen=rule.window)
        self._seen = 0
        self._is_blind = False

    def sees(self, tokens: Sequence[TokenLogprob]) -> Cut | None:
        """Take note of the next tokens; what to report of the cut, once one is due.

        A stream whose log probabilities are none of a real model's is never cut: unknown is not doubtful.
        """
        self._is_blind = self._is_blind or bool(tokens and find_fault(tokens))
        if self._is_blind or not tokens:
            return None
        for value in certainty_of(token_measures(tokens), self.rule.certainty).tolist():
            self._newest.append(value)
            self._seen += 1
            if (mean := self._mean()) is not None and mean <= self.rule.threshold:
                return {
                    "after_tokens": self._seen,
                    "window_tokens": self.rule.window,
                    "measure": self.rule.certainty,
                    "certainty": mean,
                    "threshold": self.rule.threshold,
                }
        return None

    def _mean(self) -> float | None:
        """Of a full window's known tokens."""
        known = [value for value in self._newest if not math.isnan(value)]
        return sum(known) / len(known) if known and self._seen >= self.rule.window else None


def certainty_of(tokens: TokenMeasures, certainty: Certainty) -> Floats:
    """What is averaged, of each of n tokens; NaN where it is unknown."""
    if certainty == "confidence":
        return tokens.confidence
    return -tokens.entropy_lower if certainty == "entropy" else tokens.logprob


def window_means(certainty: Floats, window: int) -> Floats:
    """Each full window's mean over one whole answer, as a `StreamWatch` sees them.

    Args:
        certainty: shape (n,), of each token; NaN where it is unknown.
        window: tokens, at least 1.

    Returns:
        Shape (max(n - window + 1, 0),); infinite where no token of a window is known.
    """
    if len(certainty) < window:
        return np.empty(0)
    known = ~np.isnan(certainty)
    totals = np.concatenate(([0.0], np.cumsum(np.where(known, certainty, 0.0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    total, count = totals[window:] - totals[:-window], counts[window:] - counts[:-window]
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def cut_words(cut: Cut) -> str:
    """The cut as the reason of a verdict."""
    what = _WORDS[cast("Certainty", cut["measure"])]
    fell = f"the mean {what} of {cut['window_tokens']} tokens was {cut['certainty']:.2f} <= {cut['threshold']:.2f}"
    return f"the stream was cut after {cut['after_tokens']} tokens, bound to be escalated: {fell}"
