"""Do log probabilities arrive? Probes of an endpoint, what they mean for the gate, and the settings to change."""

from adaptive_reasoner.doctor.advice import with_advice
from adaptive_reasoner.doctor.diagnosis import Advice, Arrival, Diagnosis, Finding
from adaptive_reasoner.doctor.examine import examine
from adaptive_reasoner.doctor.expect import expect

__all__ = ["Advice", "Arrival", "Diagnosis", "Finding", "examine", "expect", "with_advice"]
