from typing import Any

import pytest

from adaptive_reasoner.cli.words import confidence_words, is_sure


def _report(verdict: str, risk: float | None) -> Any:
    signal = {"risk": risk, "kind": "logprobs"}
    return {"rounds": [{"verdict": verdict}], "accepted_round": 0, "signal": signal}


@pytest.mark.parametrize(
    ("verdict", "risk", "words"),
    [
        ("accept", 0.031, "sure; risk of being wrong 3.1%"),
        ("accept", 0.0, "sure; risk of being wrong below 0.1%"),
        ("accept", 0.305, "accepted, but doubtful; risk of being wrong 30.5%"),
        ("give_up", 0.82, "not sure; risk of being wrong 82.0%"),
        ("accept", None, "accepted; no calibrated risk is known for this model"),
    ],
)
def test_only_a_small_risk_is_called_sure(verdict: str, risk: float | None, words: str) -> None:
    report = _report(verdict, risk)
    assert confidence_words(report) == words
    assert is_sure(report) == words.startswith("sure")


def test_an_answer_that_tells_nothing_is_not_put_down_to_a_missing_profile() -> None:
    report = _report("give_up", None)
    report["signal"]["kind"] = "unknown"
    assert confidence_words(report) == "not sure; its confidence is unknown"
