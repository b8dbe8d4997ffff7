"""Should this question think? Rules first, then a predicted gain."""

from adaptive_reasoner.state import DifficultyEstimator
from adaptive_reasoner.triage.follow_up import is_follow_up, question_in_thread
from adaptive_reasoner.triage.linear import LinearEstimator
from adaptive_reasoner.triage.probe import AsksModel, ProbeEstimator
from adaptive_reasoner.triage.router import RouteDecision, TriageRequest, choose_route
from adaptive_reasoner.triage.shipped import estimate_gain, estimator_for, shipped_estimator

__all__ = [
    "AsksModel",
    "DifficultyEstimator",
    "LinearEstimator",
    "ProbeEstimator",
    "RouteDecision",
    "TriageRequest",
    "choose_route",
    "estimate_gain",
    "estimator_for",
    "is_follow_up",
    "question_in_thread",
    "shipped_estimator",
]
