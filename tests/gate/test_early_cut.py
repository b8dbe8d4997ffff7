"""When a stream is cut, and how that is fitted: hand-computed windows, promises on fresh answers."""

import math

import numpy as np
import pytest
from langchain_core.messages import AIMessage

from adaptive_reasoner import CalibrationExample, GateProfile, calibrate
from adaptive_reasoner.errors import ConfigurationError, ProfileError
from adaptive_reasoner.gate.early_cut import EarlyCut, StreamWatch, certainty_of, cut_words, window_means
from adaptive_reasoner.gate.early_cut_fitting import WholeAnswer, fit_early_cut, is_cut, saved_share
from adaptive_reasoner.testing import logprobs_of
from adaptive_reasoner.uncertainty.entries import read_entries
from adaptive_reasoner.uncertainty.token_measures import token_measures
from adaptive_reasoner.uncertainty.tokens import TokenLogprob


def rule(**fields):
    return EarlyCut(
        **{
            "certainty": "logprob",
            "window": 2,
            "threshold": math.log(0.5),
            "max_accepted": 0.05,
            "confidence": 0.9,
            **fields,
        }
    )


def scripted(text, probability):
    """A token whose alternatives share what it leaves."""
    return text, probability, [(f"{text}~{i}", (1 - probability) / 4) for i in range(4)]


def tokens(*probabilities):
    entries = logprobs_of([scripted(f" t{i}", p) for i, p in enumerate(probabilities)], top_logprobs=5)
    return list(read_entries(entries)[0])


def seen_one_by_one(watch, given):
    return next((cut for token in given if (cut := watch.sees([token]))), None)


def test_a_window_must_be_full_before_it_cuts():
    cut = seen_one_by_one(StreamWatch(rule()), tokens(0.1, 0.9, 0.9, 0.2, 0.2))
    # ln .1 and ln .9: mean -1.204 <= -.693
    assert cut == {
        "after_tokens": 2,
        "window_tokens": 2,
        "measure": "logprob",
        "certainty": pytest.approx((math.log(0.1) + math.log(0.9)) / 2),
        "threshold": math.log(0.5),
    }


def test_a_sure_stream_is_not_cut():
    assert seen_one_by_one(StreamWatch(rule()), tokens(0.9, 0.8, 0.7, 0.9)) is None


def test_several_tokens_at_once_are_seen_as_they_came():
    assert StreamWatch(rule()).sees(tokens(0.9, 0.9, 0.3, 0.4, 0.9))["after_tokens"] == 4


def test_numbers_that_no_model_gives_are_not_taken_for_doubt():
    watch = StreamWatch(rule(window=1))
    assert watch.sees([TokenLogprob("a", -9999.0, [("a", -9999.0)])]) is None
    assert watch.sees(tokens(0.01)) is None  # nor anything after them


def test_entropy_and_confidence_are_watched_as_the_measures_have_them():
    given = tokens(0.9, 0.4)
    measures = token_measures(given)
    for certainty in ("entropy", "confidence"):
        values = certainty_of(measures, certainty)
        lowest = rule(certainty=certainty, window=1, threshold=float(values.min()))
        cut = seen_one_by_one(StreamWatch(lowest), given)
        assert cut["after_tokens"] == int(values.argmin()) + 1


def test_window_means_are_those_of_the_watch():
    values = np.array([1.0, np.nan, 3.0, 5.0])
    assert window_means(values, 2).tolist() == [1.0, 3.0, 4.0]
    assert window_means(np.array([np.nan, np.nan, 2.0]), 2).tolist() == [math.inf, 2.0]
    assert window_means(values, 5).tolist() == []


def test_the_reason_names_the_cut():
    cut = StreamWatch(rule(window=1)).sees(tokens(0.25))
    assert cut_words(cut) == (
        "the stream was cut after 1 tokens, bound to be escalated: "
        "the mean log probability of 1 tokens was -1.39 <= -0.69"
    )


def answers(count, seed, *, told_at=3, length=20, error=0.0):
    """Half of them escalate, which the token at `told_at` foretells but for a share of errors."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        stands = bool(random.random() < 0.5)
        looks_sure = stands if random.random() >= error else not stands
        probabilities = random.uniform(0.9, 0.99, length)
        probabilities[told_at] = random.uniform(0.6, 0.8) if looks_sure else random.uniform(0.2, 0.4)
        found.append(WholeAnswer(token_measures(tokens(*probabilities)), stands))
    return found


def test_the_fitted_rule_cuts_where_the_verdict_is_known():
    fitted = fit_early_cut(answers(300, 1), max_accepted=0.05, confidence=0.9)
    assert fitted.window <= 2
    fresh = answers(400, 2)
    # the fourth token of 20 tells: 16 of 20 are spared, of nearly every escalated answer
    assert saved_share(fresh, fitted) > 0.7


def test_the_promise_holds_on_fresh_answers():
    broken = 0
    for seed in range(20):
        fitted = fit_early_cut(answers(400, seed, error=0.03), max_accepted=0.05, confidence=0.9)
        if fitted is None:
            continue
        cut = [one for one in answers(1000, 100 + seed, error=0.03) if is_cut(one, fitted)]
        broken += np.mean([one.stands for one in cut]) > 0.05
    assert broken <= 4  # 2 are expected at most


@pytest.mark.parametrize(
    "given",
    [
        answers(40, 3),  # too few to promise anything
        answers(300, 4, error=0.5),  # the tokens foretell nothing
        answers(300, 5, told_at=19),  # they do, but at the very end
        answers(300, 6, told_at=2, length=5),  # at once, but little is left to save
    ],
    ids=["too few", "no news", "too late", "too short"],
)
def test_what_cannot_be_promised_or_saves_nothing_is_not_cut(given):
    assert fit_early_cut(given, max_accepted=0.05, confidence=0.9) is None


def test_answers_without_alternatives_teach_nothing():
    bare = [WholeAnswer(token_measures([TokenLogprob("a", -0.1, [])] * 9), bool(i % 2)) for i in range(300)]
    assert fit_early_cut(bare, max_accepted=0.05, confidence=0.9) is None


def test_a_profile_keeps_its_rule_and_older_ones_have_none(tmp_path):
    profile = GateProfile(kind="default", model="m", modes={}, early_cut=rule(cut=90, accepted=2))
    profile.save(tmp_path / "p.json")
    assert GateProfile.load(tmp_path / "p.json") == profile
    assert "early_cut" not in GateProfile.default().to_json()
    assert GateProfile.from_json(GateProfile.default().to_json()).early_cut is None


@pytest.mark.parametrize(
    "change",
    [
        {"window": 0},
        {"threshold": math.nan},
        {"max_accepted": 1.0},
        {"certainty": "mood"},
        {"confidence": 0.2},
    ],
)
def test_unusable_rules_are_refused(change):
    with pytest.raises(ProfileError):
        EarlyCut.from_json({**rule().to_json(), **change})


def test_a_malformed_rule_is_named():
    with pytest.raises(ProfileError, match="early cut is malformed: KeyError"):
        EarlyCut.from_json({"window": 1})


def examples(count, seed):
    """Worked answers whose first number is unsure where they are wrong."""
    random = np.random.default_rng(seed)
    found = []
    for index in range(count):
        is_right = bool(random.random() < 0.6)
        sure = random.uniform(0.85, 0.99) if is_right else random.uniform(0.2, 0.5)
        words = [("Answer", 0.99), (":", 0.99), (" 42", sure), *[(f" because{i}", 0.95) for i in range(17)]]
        text = "".join(word for word, _ in words)
        words = [scripted(word, p) for word, p in words]
        message = AIMessage(text, response_metadata={"logprobs": logprobs_of(words, top_logprobs=5)})
        found.append(CalibrationExample(f"q{index}", message, is_right))
    return found


def test_calibrate_fits_the_cut_to_its_own_verdicts():
    profile = calibrate(examples(600, 6), max_escalation=0.4)
    assert profile.early_cut.window <= 4
    assert profile.early_cut.accepted <= 0.05 * profile.early_cut.cut
    assert profile.early_cut.max_accepted == 0.05
    assert calibrate(examples(600, 6), max_escalation=0.4, max_wrongly_cut=None).early_cut is None


def test_calibrate_refuses_a_share_that_is_none():
    with pytest.raises(ConfigurationError, match="max_wrongly_cut"):
        calibrate(examples(60, 6), max_escalation=0.4, max_wrongly_cut=1.5)
