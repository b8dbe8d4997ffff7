import json
import math
import time

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.triage.linear import FEATURES, LinearEstimator, load_packaged, text_features

EASY = "What is 2 + 3?"
HARD = "Calculate (12 + 30) * 3 - 8 * (22 - 11) + 47."


def test_features_count_what_there_is_to_compute():
    features = text_features("What is 12 + 3 * (40 - 5)? It costs 7 dollars.")
    assert features["numbers"] == 5
    assert features["large_numbers"] == 2  # 12 and 40
    assert features["times_signs"] == 1
    assert features["brackets"] == 1
    assert features["log_numbers"] == pytest.approx(math.log(6))


def test_features_are_the_declared_ones_for_any_text():
    for text in ("", "はい", EASY, HARD, "a" * 100_000):
        features = text_features(text)
        assert set(features) == set(FEATURES)
        assert all(math.isfinite(value) for value in features.values())


def test_estimate_follows_its_weights():
    estimator = LinearEstimator("pair", {"bias": -1.0, "numbers": 0.5}, {"bias": -3.0})
    triage = estimator.estimate([HumanMessage("2 and 4")])  # logits -1 + .5 * 2 = 0, and -3
    assert triage["difficulty"] == pytest.approx(0.5)
    assert triage["gain"] == pytest.approx(0.5 - 1 / (1 + math.exp(3)))
    assert triage["source"] == "linear:pair"


def test_estimate_reads_the_newest_human_turn():
    estimator = LinearEstimator("pair", {"numbers": 1.0}, {})
    thread = [HumanMessage(HARD), AIMessage("Answer: 7"), HumanMessage("What is the capital of France?")]
    assert estimator.estimate(thread)["difficulty"] == pytest.approx(0.5)


def test_estimate_of_extreme_weights_stays_a_probability():
    triage = LinearEstimator("pair", {"bias": 1e9}, {"bias": -1e9}).estimate([HumanMessage(EASY)])
    assert 0 <= triage["difficulty"] <= 1
    assert -1 <= triage["gain"] <= 1


def test_estimator_of_malformed_json_names_what_is_missing():
    with pytest.raises(ProfileError, match="deep_wrong"):
        LinearEstimator.from_json({"pair": "x", "fast_wrong": {}})


def test_estimator_survives_its_json():
    data = {"pair": "x", "fast_wrong": {"bias": 1.0}, "deep_wrong": {"bias": -1.0}, "think_at_gain": 0.8}
    assert LinearEstimator.from_json(json.loads(json.dumps(data))).fast_wrong == {"bias": 1.0}


def test_unknown_name_has_no_packaged_estimator():
    assert load_packaged("no-such-model") is None


def test_packaged_estimator_ranks_more_work_as_harder():
    estimator = load_packaged("embedded")
    assert estimator is not None
    easy, hard = (estimator.estimate([HumanMessage(text)]) for text in (EASY, HARD))
    assert easy["difficulty"] < 0.5 < hard["difficulty"]
    assert easy["gain"] < hard["gain"]


def test_packaged_estimator_knows_every_declared_feature():
    estimator = load_packaged("embedded")
    assert estimator is not None
    assert set(estimator.fast_wrong) == {"bias", *FEATURES}
    assert set(estimator.deep_wrong) == {"bias", *FEATURES}


def test_estimate_takes_less_than_a_millisecond():
    """The aim is 100 µs; the bound leaves room for a busy machine."""
    estimator = LinearEstimator("pair", dict.fromkeys(FEATURES, 0.1), dict.fromkeys(FEATURES, 0.1))
    messages = [HumanMessage(HARD)]
    started = time.perf_counter()
    for _ in range(200):
        estimator.estimate(messages)
    assert (time.perf_counter() - started) / 200 < 1e-3


def saved(tmp_path, **changes):
    """A model's file, some fields changed."""
    data = LinearEstimator("mine", {"bias": 0.0}, {}, 0.2, "cues", {"bias": 0.1, "which": 0.5}).to_json()
    path = tmp_path / "triage.json"
    path.write_text(json.dumps({**data, **changes}))
    return path


def test_an_estimator_survives_its_file(tmp_path):
    estimator = LinearEstimator("mine", {"bias": 0.5}, {}, None, "cues", {"which": 0.25}, {"questions": 5})
    estimator.save(tmp_path / "triage.json")
    assert LinearEstimator.load(tmp_path / "triage.json") == estimator
    assert [path.name for path in tmp_path.iterdir()] == ["triage.json"]


def test_a_predicted_gain_is_kept_within_its_bounds_and_names_its_cues(tmp_path):
    estimator = LinearEstimator.load(saved(tmp_path, gain={"bias": 5.0, "which": 0.5}))
    triage = estimator.estimate_text("Which one?")
    assert (triage["gain"], triage["difficulty"]) == (1.0, 1.0)
    assert triage["reason"] == "predicted from the question's text, from its which"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"features": "embeddings"}, "arithmetic, cues"),
        ({"gain": {"which": math.nan}}, "'which' the weight nan"),
        ({"gain": {"which": "much"}}, "malformed"),
        ({"gain": {"colour": 1.0}}, "'colour'"),
        ({"gain": [1, 2]}, "malformed"),
        ({"fast_wrong": None}, "malformed"),
        ({"think_at_gain": 2}, "between -1 and 1"),
        ({"think_at_gain": math.nan}, "between -1 and 1"),
        ({"provenance": 5}, "malformed"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused_in_one_line(tmp_path, changes, said):
    path = saved(tmp_path, **changes)
    with pytest.raises(ProfileError, match=said) as error:
        LinearEstimator.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_corrupt_file_is_one_error(tmp_path, content):
    path = tmp_path / "triage.json"
    path.write_bytes(content)
    with pytest.raises(ProfileError, match="triage"):
        LinearEstimator.load(path)
    with pytest.raises(ProfileError, match="Cannot read"):
        LinearEstimator.load(tmp_path / "missing.json")


def test_a_model_that_cannot_be_plain_json_leaves_no_file(tmp_path):
    with pytest.raises(ProfileError, match="not plain JSON"):
        LinearEstimator("mine", {"bias": math.inf}, {}).save(tmp_path / "triage.json")
    assert list(tmp_path.iterdir()) == []
