"""Calls of tools have a profile of their own where calibration fitted one."""

from dataclasses import replace
from pathlib import Path

import pytest

from adaptive_reasoner.config import Situation
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.state import EntropyBounds, Signal

TEXTS = ModeProfile(features=("min_probability",), weights=(0.0,), bias=-4.0)  # risk .018
CALLS = ModeProfile(features=("min_probability",), weights=(0.0,), bias=4.0, max_accepted_risk=0.2)  # .982
SIGNAL = Signal(
    kind="logprobs",
    risk=None,
    entropy_nats=EntropyBounds(lower=0.1, upper=0.1),
    covered_mass=1.0,
    min_probability=0.9,
    perplexity=1.05,
    token_count=3,
    spans=[],
    reason=None,
)
TEXT = Situation(mode="fast", can_refine=False, can_escalate=False, can_review=False)
CALL = replace(TEXT, is_call=True)


def profile(mode: ModeProfile) -> GateProfile:
    return GateProfile(kind="calibrated", model="m", modes={"fast": mode})


def test_a_call_is_judged_by_the_profile_of_calls() -> None:
    gate = profile(replace(TEXTS, of_calls=CALLS))
    assert gate.decide(SIGNAL, TEXT).verdict == "accept"
    stopped = gate.decide(SIGNAL, CALL)
    assert stopped.verdict == "give_up"
    assert stopped.risk == pytest.approx(0.982, abs=5e-4)


def test_without_one_a_call_is_judged_as_a_text_is() -> None:
    gate = profile(TEXTS)
    assert gate.decide(SIGNAL, CALL) == gate.decide(SIGNAL, TEXT)


def test_it_is_kept_in_the_file_and_leaves_no_trace_where_there_is_none(tmp_path: Path) -> None:
    gate = profile(replace(TEXTS, of_calls=CALLS))
    gate.save(tmp_path / "profile.json")
    assert GateProfile.load(tmp_path / "profile.json") == gate
    assert "of_calls" not in profile(TEXTS).to_json()["modes"]["fast"]
