"""The model's own first token as an estimate of what thinking gains."""

from collections.abc import Sequence

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.triage.mode_token import ModeTokenEstimator

CURVES = {"difficulty": [[-2, 0.0], [2, 0.8]], "gain": [[-2, 0.0], [2, 0.6]], "think_at_gain": 0.5}


def leaning(logit: float) -> ModeTokenEstimator:
    def read(messages: Sequence[BaseMessage]) -> float:
        assert messages == [HumanMessage("3 + 4?")]
        return logit

    return ModeTokenEstimator.from_json(CURVES, read)


def test_the_lean_is_read_through_both_curves() -> None:
    found = leaning(1.0).estimate([HumanMessage("3 + 4?")])
    assert found["difficulty"] == pytest.approx(0.6)
    assert found["gain"] == pytest.approx(0.45)
    assert found["source"] == "mode_token"
    assert "+1.00 nats" in found["reason"]


def test_beyond_what_was_fitted_it_stays_at_the_last_value() -> None:
    assert leaning(50.0).estimate([HumanMessage("3 + 4?")])["gain"] == 0.6
    assert leaning(-50.0).estimate([HumanMessage("3 + 4?")])["gain"] == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gain": [[0, 0.5], [1, 0.2]]}, "gain curve is unusable, it falls"),
        ({"difficulty": []}, "difficulty curve is unusable, it has no knots"),
        ({"gain": [[0, "much"]]}, "missing or malformed"),
        ({"think_at_gain": None}, "missing or malformed"),
    ],
)
def test_a_model_that_cannot_be_used_says_why(change: dict[str, object], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        ModeTokenEstimator.from_json({**CURVES, **change}, lambda _: 0.0)
