"""Should this question think? Rules first, then a predicted gain."""

from adaptive_reasoner.state import DifficultyEstimator
from adaptive_reasoner.triage.follow_up import is_follow_up
from adaptive_reasoner.triage.router import RouteDecision, TriageRequest, choose_route
from adaptive_reasoner.triage.shipped import estimator_for

__all__ = [
    "DifficultyEstimator",
    "RouteDecision",
    "TriageRequest",
    "choose_route",
    "estimator_for",
    "is_follow_up",
]
