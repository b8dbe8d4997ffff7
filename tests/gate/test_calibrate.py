import math
from dataclasses import replace

import numpy as np
import pytest
from langchain_core.messages import AIMessage

from adaptive_reasoner.config import Situation, ThinkingPrice
from adaptive_reasoner.errors import CalibrationError, ConfigurationError
from adaptive_reasoner.gate import GateProfile
from adaptive_reasoner.gate.calibration import CalibrationExample, calibrate
from adaptive_reasoner.state import Triage
from adaptive_reasoner.uncertainty.message import score_message

FAST = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False)
SPENT = Situation(mode="fast", can_refine=False, can_escalate=False, can_review=False)
DEEP = Situation(mode="deep", can_refine=False, can_escalate=False, can_review=False)


def message(p: float) -> AIMessage:
    """The answer "7" of probability `p`, as a chat model gives it."""
    top = [{"token": "7", "logprob": math.log(p)}, {"token": "8", "logprob": math.log(1 - p)}]
    content = [{"token": "7", "logprob": math.log(p), "bytes": [55], "top_logprobs": top}]
    return AIMessage("7", response_metadata={"logprobs": {"content": content}, "model_name": "tiny"})


def examples(count: int, *, deep: bool = False, seed: int = 0) -> list[CalibrationExample]:
    """Fast answers whose probability of being right is what they say; deep ones are wrong one time in ten."""
    generator = np.random.default_rng(seed)
    made: list[CalibrationExample] = []
    for p in generator.uniform(0.3, 0.999, size=count):
        right = bool(generator.random() < p)
        if deep:
            sure = float(generator.uniform(0.8, 0.99))
            made.append(
                CalibrationExample("?", message(p), right, message(sure), bool(generator.random() < sure))
            )
        else:
            made.append(CalibrationExample("?", message(p), right))
    return made


def verdicts(profile: GateProfile, given: list[CalibrationExample], situation: Situation = FAST) -> list[str]:
    return [profile.decide(score_message(example.fast), situation).verdict for example in given]


@pytest.mark.parametrize("target", [0.0, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("deep", [False, True])
def test_no_more_than_the_share_escalates(target: float, deep: bool):
    given = examples(400, deep=deep)

    profile = calibrate(given, max_escalation=target)

    share = verdicts(profile, given).count("escalate") / 400
    assert share <= target
    assert share >= min(target, 0.3) - 0.01  # where thinking pays it is used


def test_the_riskiest_escalate():
    given = examples(400)

    profile = calibrate(given, max_escalation=0.2)

    escalated = [
        score_message(e.fast)["min_probability"] for e in given if verdicts(profile, [e]) == ["escalate"]
    ]
    accepted = [
        score_message(e.fast)["min_probability"] for e in given if verdicts(profile, [e]) == ["accept"]
    ]
    assert max(escalated) < min(accepted)


def test_thinking_that_breaks_sure_answers_is_left_out_even_where_it_is_allowed():
    given = examples(2000, deep=True)

    profile = calibrate(given, max_escalation=1.0)

    # deep is wrong one time in ten, whatever the question: above p = .9 thinking would lose
    signal = score_message(message(0.97))
    assert profile.decide(signal, FAST).verdict == "accept"
    assert profile.decide(score_message(message(0.7)), FAST).verdict == "escalate"
    assert "deep" in profile.modes


def test_unknown_answers_count_as_escalated():
    given = examples(400)
    silent = [CalibrationExample("?", AIMessage("7"), fast_correct=True)] * 40

    profile = calibrate([*given, *silent], max_escalation=0.2)

    assert verdicts(profile, [*given, *silent]).count("escalate") <= 88
    assert profile.provenance["unknown"] == 40
    with pytest.raises(CalibrationError, match="40 of 440 answers have no usable log probabilities"):
        calibrate([*given, *silent], max_escalation=0.05)


def test_a_promised_error_is_kept_on_fresh_answers():
    profile = calibrate(examples(2000), max_error=0.1)

    fresh = examples(2000, seed=1)
    accepted = [e for e, verdict in zip(fresh, verdicts(profile, fresh), strict=True) if verdict == "accept"]
    # error .1 on average reaches down to p = .8: more than a quarter of all answers
    assert sum(not e.fast_correct for e in accepted) / len(accepted) < 0.1
    assert len(accepted) > 400
    assert set(verdicts(profile, fresh)) == {"accept", "escalate"}
    assert set(verdicts(profile, fresh, SPENT)) == {"accept", "give_up"}


def test_a_promise_covers_deep_answers_that_examples_show():
    profile = calibrate(examples(3000, deep=True), max_error=0.12)

    assert profile.modes["deep"].max_accepted_risk == profile.provenance["deep"]["threshold"]
    assert profile.decide(score_message(message(0.985)), DEEP).verdict == "accept"
    assert profile.decide(score_message(message(0.4)), DEEP).verdict == "give_up"


def test_deep_answers_that_cannot_keep_the_promise_are_never_accepted():
    given = [
        CalibrationExample(e.question, e.fast, e.fast_correct, message(0.9), deep_correct=False)
        for e in examples(2000)
    ]

    profile = calibrate(given, max_error=0.1)

    assert profile.provenance["deep"] is None
    assert profile.decide(score_message(message(0.9)), DEEP).verdict == "give_up"


def test_a_promise_that_cannot_be_kept_is_refused_with_numbers():
    wrong = [CalibrationExample("?", message(0.9), fast_correct=bool(i % 2)) for i in range(400)]

    with pytest.raises(
        CalibrationError, match=r"max_error=0.05 cannot be promised .* of the 45 surest of 300"
    ):
        calibrate(wrong, max_error=0.05)


def test_too_few_examples_for_a_promise_are_refused_with_their_number():
    with pytest.raises(CalibrationError, match=r"needs at least 81 answers .* not 50"):
        calibrate(examples(50), max_error=0.05)


def test_an_uninformative_signal_is_named():
    generator = np.random.default_rng(2)
    noise = [
        CalibrationExample("?", message(float(p)), fast_correct=bool(generator.random() < 0.5))
        for p in generator.uniform(0.3, 0.99, size=300)
    ]

    with pytest.raises(CalibrationError, match=r"uninformative on these 300 answers.*AUROC"):
        calibrate(noise, max_escalation=0.2)


def test_answers_without_log_probabilities_cannot_calibrate():
    with pytest.raises(CalibrationError, match="None of the 3 fast answers"):
        calibrate([CalibrationExample("?", AIMessage("7"), fast_correct=True)] * 3, max_error=0.1)
    with pytest.raises(CalibrationError, match="None of the 0 fast answers"):
        calibrate([], max_escalation=0.1)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"max_escalation": 0.1, "max_error": 0.1},
        {"max_escalation": 1.1},
        {"max_error": 0.0},
        {"max_error": math.nan},
        {"max_error": 0.1, "confidence": 1.0},
    ],
)
def test_a_wrong_target_is_a_configuration_error(arguments: dict[str, float]):
    with pytest.raises(ConfigurationError):
        calibrate(examples(10), **arguments)


def test_a_profile_knows_its_model_and_its_examples():
    profile = calibrate(examples(200), max_escalation=0.2)

    assert (profile.kind, profile.model) == ("calibrated", "tiny")
    assert profile.provenance["examples"] == 200
    assert GateProfile.from_json(profile.to_json()) == profile


def with_usage(example: CalibrationExample, tokens: int) -> CalibrationExample:
    assert example.deep is not None
    usage = {"input_tokens": 50, "output_tokens": tokens - 50, "total_tokens": tokens}
    return replace(example, deep=example.deep.model_copy(update={"usage_metadata": usage}))


def test_a_profile_learns_what_thinking_takes_and_what_it_was_priced_at():
    given = [
        with_usage(example, 200 + 100 * (index % 2)) for index, example in enumerate(examples(400, deep=True))
    ]

    fast = calibrate(given, max_escalation=0.1).modes["fast"]

    assert fast.tokens == {"escalate": ((0.0, 250.0),)}
    assert fast.price.per_call > 0
    assert calibrate(examples(400, deep=True), max_escalation=0.1).modes["fast"].tokens == {}


def test_a_calibrated_profile_thinks_more_at_a_lower_price_and_the_same_at_its_own():
    given = examples(600, deep=True)
    profile = calibrate(given, max_escalation=0.1)
    own = profile.modes["fast"].price

    free, same = (replace(FAST, price=price) for price in (ThinkingPrice(), own))

    assert verdicts(profile, given, same) == verdicts(profile, given)
    assert verdicts(profile, given, free).count("escalate") > 2 * verdicts(profile, given).count("escalate")


def test_predictions_that_are_news_enter_the_profile_and_the_share_still_holds():
    rng = np.random.default_rng(5)
    given: list[CalibrationExample] = []
    for example in examples(600, deep=True):
        is_mended = not example.fast_correct and bool(example.deep_correct)
        gain = float(0.3 * is_mended + rng.normal(0, 0.1))
        triage: Triage = {"gain": gain, "difficulty": 0.5, "source": "linear:mine", "reason": ""}
        given.append(replace(example, triage=triage))

    profile = calibrate(given, max_escalation=0.1)

    foresight = profile.modes["fast"].foresight
    assert foresight is not None
    assert foresight.slope > 0.5
    thought = [
        profile.decide(score_message(one.fast), replace(FAST, triage=one.triage)).verdict for one in given
    ]
    assert thought.count("escalate") == 60
