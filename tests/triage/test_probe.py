"""The estimator that asks a model for the bare answer and reads its doubt."""

import math

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.triage import AsksModel, ProbeEstimator
from adaptive_reasoner.triage.probe import PROBE

QUESTION = [HumanMessage("How much is 6 * 7?")]


def asked(*steps, **settings):
    return ProbeEstimator(ScriptedChatModel(steps), **settings)


def test_the_doubt_of_the_bare_answer_is_the_difficulty():
    triage = asked(Reply(text="42", probability=0.7)).estimate(QUESTION)
    assert triage["difficulty"] == pytest.approx(0.3)
    assert triage["gain"] == pytest.approx(0.15)  # half of it, uncalibrated
    assert (triage["source"], "0.70" in triage["reason"]) == ("probe", True)


def test_missing_log_probabilities_are_unknown_and_never_think_nor_assure():
    estimator = asked()
    triage = estimator.read(AIMessage("42"))
    assert (triage["gain"], triage["difficulty"]) == (0.0, 0.5)
    assert "unknown" in triage["reason"]
    assert "not answered" in estimator.read(None)["reason"]


def test_the_request_is_short_and_stands_in_the_last_turn():
    estimator = asked(Reply(text="42", probability=0.7))
    picture = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
    thread = [
        SystemMessage("Be exact."), HumanMessage("Look."),
        AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "1"}]), ToolMessage("a cat", tool_call_id="1"),
        AIMessage("A cat."), HumanMessage([picture, {"type": "text", "text": "How many?"}]),
    ]  # fmt: skip
    before = [message.model_copy(deep=True) for message in thread]
    estimator.estimate(thread)
    (call,) = estimator.model.calls
    assert [message.type for message in call.messages] == ["system", "human", "ai", "human"]
    assert call.messages[-1].content[0] == picture
    assert call.messages[-1].text.endswith(PROBE)
    assert call.kwargs["max_tokens"] == 16
    assert call.kwargs["logprobs"] is True
    assert thread == before


def test_it_is_fitted_by_a_line_through_nothing():
    model = ScriptedChatModel([])
    fitted = ProbeEstimator.fitted(model, [0.0, 0.5, 1.0], [0.0, 0.0, 1.0])
    assert fitted.gain_per_doubt == pytest.approx(1 / 1.25)
    assert ProbeEstimator.fitted(model, [0.5], [-1.0]).gain_per_doubt == 0.0


@pytest.mark.parametrize(
    ("doubts", "gains"), [([], []), ([0.0], [1.0]), ([0.5], [1.0, 0.0]), ([math.nan], [1.0])]
)
def test_it_cannot_be_fitted_to_nothing(doubts, gains):
    with pytest.raises(ConfigurationError, match="ProbeEstimator"):
        ProbeEstimator.fitted(ScriptedChatModel([]), doubts, gains)


@pytest.mark.parametrize(
    "settings", [{"gain_per_doubt": math.nan}, {"gain_per_doubt": -0.1}, {"think_at_gain": 2}]
)
def test_its_numbers_are_checked(settings):
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        asked(**settings)


def test_it_says_that_it_asks_a_model():
    assert isinstance(asked(), AsksModel)
