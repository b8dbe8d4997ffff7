import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from signals import signal_of

from adaptive_reasoner.config import ReasonerConfig, Situation
from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate import GateProfile, ModeProfile
from adaptive_reasoner.gate.features import FEATURES, feature_values
from adaptive_reasoner.gate.mode_profile import mode_profile_from_json
from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty import TokenLogprob, score_tokens

FAST = Situation(mode="fast", can_refine=False, can_escalate=True, can_review=False)
PROFILE = GateProfile(
    kind="calibrated",
    model="gpt-4o-mini",
    modes={
        "fast": ModeProfile(
            features=("min_probability", "token_count"),
            weights=(-2.0, 0.1),
            bias=0.25,
            knots=((-2.0, 0.01), (0.0, 0.6)),
            alternatives={"escalate": ((0.0, 0.2), (1.0, 0.3))},
            max_accepted_risk=0.4,
        )
    },
    provenance={"examples": 10, "target": {"max_error": 0.1}},
)


def test_a_profile_survives_its_file(tmp_path: Path):
    PROFILE.save(tmp_path / "gate.json")

    assert GateProfile.load(tmp_path / "gate.json") == PROFILE
    assert GateProfile.from_json(json.loads(json.dumps(PROFILE.to_json()))) == PROFILE
    assert [path.name for path in tmp_path.iterdir()] == ["gate.json"]


def test_a_profile_decides_by_mode():
    # score = .25 - 2 * .5 + .1 = -.65; risk = .01 + .59 * 1.35 / 2 = .408; thinking costs .2408
    decision = PROFILE.decide(signal_of(0.5), FAST)

    assert decision.risk == pytest.approx(0.40825)
    assert decision.verdict == "escalate"
    deep = Situation(mode="deep", can_refine=False, can_escalate=False, can_review=False)
    assert PROFILE.decide(signal_of(0.5), deep).reason.startswith("uncalibrated default")


def test_the_default_profile_says_that_it_is_uncalibrated():
    decision = GateProfile.default().decide(signal_of(0.5), FAST)

    assert decision.verdict == "escalate"
    assert decision.risk is None
    assert "uncalibrated" in decision.reason


def test_a_profile_is_a_gate_of_the_configuration():
    assert ReasonerConfig(gate=PROFILE).gate is PROFILE


def test_a_risk_without_knots_is_logistic():
    profile = ModeProfile(features=("min_probability",), weights=(-4.0,), bias=2.0)

    assert profile.risk(signal_of(0.5)) == pytest.approx(0.5)
    assert profile.risk(signal_of(1.0)) == pytest.approx(1 / (1 + math.exp(2)))


def test_features_are_what_they_are_called():
    half = math.log(0.5)
    token = TokenLogprob("4", half, [("4", half), ("5", half)])
    answer = score_tokens([token, TokenLogprob("2", 0.0, [("2", 0.0)])])
    signal: Signal = {**answer, "thought_logprob": half, "support": 0.75, "repeats": True}
    signal["rationale_agreement"] = 0.0

    named = dict(zip(FEATURES, feature_values(signal, list(FEATURES)), strict=True))

    ln2 = math.log(2)
    assert named == pytest.approx(
        {
            "mean_entropy": ln2 / 2,
            "entropy_sum": ln2,
            "max_span_entropy": ln2,
            "sequence_logprob": -ln2,
            "min_probability": 0.5,
            "log_min_probability": -ln2,
            "log_doubt": -ln2,
            "log_sequence_doubt": -ln2,
            "log_entropy_sum": math.log(ln2),
            "thought_logprob": -ln2,
            "log_thought_doubt": -ln2,
            "log_unsupported": -2 * ln2,
            "repeats": 1.0,
            "contradicted": 1.0,
            "token_count": 2.0,
        }
    )


def test_features_of_a_certain_answer_are_finite():
    signal: Signal = {**signal_of(1.0), "thought_logprob": 0.0, "support": 1.0, "repeats": False}
    assert all(map(math.isfinite, feature_values(signal, list(FEATURES))))


def test_a_profile_that_asks_for_the_thought_has_another_risk_without_it():
    plain = ModeProfile(features=("token_count",), weights=(0.0,), bias=0.0)
    profile = ModeProfile(features=("thought_logprob",), weights=(-1.0,), bias=-2.0, without_thought=plain)
    thought: Signal = {**signal_of(0.9), "thought_logprob": -2.0}

    assert profile.risk(thought) == pytest.approx(0.5)
    assert profile.risk({**thought, "thought_logprob": -4.0}) == pytest.approx(1 / (1 + math.exp(-2)))
    assert profile.risk(signal_of(0.9)) == 0.5
    assert mode_profile_from_json(json.loads(json.dumps(profile.to_json()))) == profile
    assert replace(profile, without_thought=None).risk(signal_of(0.9)) == 1.0


def fast_mode(**fields: object) -> str:
    mode = {"features": [], "weights": [], "bias": 0, **fields}
    return json.dumps({"version": 1, "kind": "calibrated", "modes": {"fast": mode}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "version None"),
        ('{"version": 2}', "version 2"),
        ('{"version": 1, "kind": "calibrated"}', "`modes`"),
        ('{"version": 1, "kind": "magic", "modes": {}}', "'magic'"),
        ('{"version": 1, "kind": [], "modes": {}}', "not \\[\\]"),
        ('{"version": 1, "kind": "calibrated", "modes": {"fast": 3}}', "malformed"),
        (fast_mode().replace('"fast"', '"slow"'), "'slow'"),
        (fast_mode(features=["x"], weights=[1]), "'x'"),
        (fast_mode(weights=[1]), "0 features need as many weights"),
        (fast_mode(bias=math.nan), "finite"),
        (fast_mode(bias=None), "malformed"),
        (fast_mode(knots=[[0, 1], [1, 0]]), "falls"),
        (fast_mode(alternatives={"dance": [[0, 1]]}), "'dance'"),
        (fast_mode(alternatives={"refine": []}), "no knots"),
        (fast_mode(alternatives={"refine": [[0, 1, 2]]}), "malformed"),
    ],
)
def test_a_bad_file_is_named_in_one_line(tmp_path: Path, text: str, message: str):
    path = tmp_path / "gate.json"
    path.write_text(text)

    with pytest.raises(ProfileError, match=message) as caught:
        GateProfile.load(path)

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_unreadable_file_is_a_profile_error(tmp_path: Path):
    with pytest.raises(ProfileError, match="Cannot read"):
        GateProfile.load(tmp_path / "none.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match="Cannot read"):
        GateProfile.load(tmp_path / "binary")


def test_an_unwritable_place_is_a_profile_error(tmp_path: Path):
    with pytest.raises(ProfileError, match="Cannot write"):
        PROFILE.save(tmp_path / "missing" / "gate.json")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "gate.json"
    PROFILE.save(path)
    broken = GateProfile(kind="default", model="", modes={}, provenance={"figure": math.nan})

    with pytest.raises(ProfileError, match="plain JSON"):
        broken.save(path)

    assert GateProfile.load(path) == PROFILE
