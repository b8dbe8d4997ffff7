"""Pure decisions: signal + profile -> verdict, and the calibration behind them."""

from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.gate.shipped import profile_for

__all__ = ["GateProfile", "ModeProfile", "profile_for"]
