"""Signals as `score_tokens` gives them, built from one or two probabilities."""

import math

from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty import TokenLogprob, score_tokens


def signal_of(p: float) -> Signal:
    """A one-token answer of probability `p` whose only alternative has the rest."""
    top = [("4", math.log(p))]
    if p < 1.0:
        top.append(("5", math.log(1.0 - p)))
    return score_tokens([TokenLogprob("4", math.log(p), top)])


def unknown_signal() -> Signal:
    return score_tokens([])
