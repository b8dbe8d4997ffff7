"""A thought's steps: where they begin and end, and which the model was unsure of."""

import math

import pytest

from adaptive_reasoner.thinking.steps import thought_steps


def entry(token, *probabilities):
    listed = [{"token": token, "logprob": math.log(p)} for p in probabilities]
    return {"token": token, "logprob": listed[0]["logprob"], "top_logprobs": listed}


def test_steps_end_with_semicolons_sentences_and_lines():
    steps = thought_steps(" plan: a: 3 * 7; b: a + 5. work: 21\nA pen is 3.5 dollars. Done")
    assert [one["text"] for one in steps] == [
        "plan: a: 3 * 7;", "b: a + 5.", "work: 21", "A pen is 3.5 dollars.", "Done",
    ]  # fmt: skip
    assert [one["step"] for one in steps] == [1, 2, 3, 4, 5]


def test_offsets_are_those_of_the_thought():
    thought = "  One. Two."
    assert [thought[one["start"] : one["end"]] for one in thought_steps(thought)] == ["One.", "Two."]


def test_a_step_is_as_unsure_as_its_least_certain_token():
    entries = [entry(" a", 1.0), entry(";", 1.0), entry(" b", 0.5, 0.5), entry(".", 1.0)]
    sure, unsure = thought_steps(" a; b.", entries)
    assert (sure["entropy_nats"], sure["is_uncertain"]) == (pytest.approx(0.0, abs=1e-9), False)
    assert unsure["entropy_nats"] == pytest.approx(math.log(2))
    assert unsure["is_uncertain"]


def test_entries_of_another_text_tell_nothing():
    [step] = thought_steps("a b", [entry("c", 0.5, 0.5)])
    assert (step["entropy_nats"], step["is_uncertain"]) == (None, False)


def test_no_thought_no_steps():
    assert thought_steps("") == []
