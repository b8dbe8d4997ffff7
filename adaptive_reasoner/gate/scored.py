"""What calibration looks at: a labelled question with the signals of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adaptive_reasoner.gate.curve import Floats
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.state import Signal, Triage


@dataclass(frozen=True, slots=True)
class Scored:
    """A labelled question whose fast answer has log probabilities; `deep` where that answer has them too.

    Attributes:
        deep_tokens: input and output tokens of the deep model's call; None where it did not tell.
        triage: what was predicted before the fast answer; None where nothing was.
    """

    fast: Signal
    fast_wrong: bool
    deep: Signal | None
    deep_wrong: bool | None
    deep_tokens: int | None = None
    triage: Triage | None = None


def risks_of(profile: ModeProfile, signals: Sequence[Signal]) -> Floats:
    """The risks of n signals, shape (n,)."""
    return np.array([profile.risk(signal) for signal in signals], dtype=np.float64)
