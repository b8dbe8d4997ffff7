"""Which estimator ships for a model."""

from functools import cache

from adaptive_reasoner.state import DifficultyEstimator
from adaptive_reasoner.thinking import switch
from adaptive_reasoner.triage.linear import load_packaged


@cache
def estimator_for(model_name: str) -> DifficultyEstimator | None:
    """The estimator fitted for `model_name`, or None: such models start fast and leave the rest to the gate."""
    return load_packaged("embedded") if model_name.startswith(switch.EMBEDDED_MODEL_NAME) else None
