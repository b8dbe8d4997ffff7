"""Work is held against its answer: by rule where it can be followed, else by a model."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from adaptive_reasoner.uncertainty.rederived import rederive

ASKED = [HumanMessage("What is 6 * 7?")]


def agreement(answer, thought, reply=None, **given):
    """What it comes to, and how many calls it took; `reply` None: the call was refused."""
    steps, calls = rederive(ASKED, AIMessage(answer), thought, **given), []
    try:
        calls.append(next(steps))
        steps.send(None if reply is None else AIMessage(reply))
    except StopIteration as finished:
        return finished.value, len(calls)
    raise AssertionError("one call at the most")


@pytest.mark.parametrize(
    ("answer", "thought", "told"),
    [
        ("Answer: 42", "6 * 7 = 42. Check: 42 / 7 = 6.", 1.0),
        ("Answer: 42\nBecause: 6 * 7 = 42\nResult: 42", "", 1.0),
        ("Answer: 41\nBecause: 6 * 7 = 42\nResult: 42", "", 0.0),
    ],
)
def test_a_rule_follows_calculations_without_a_call(answer, thought, told):
    assert agreement(answer, thought) == (told, 0)


@pytest.mark.parametrize(
    ("answer", "reply", "told"),
    [
        ("Answer: 42", "42", 1.0),
        ("Answer: 41", "Answer: 42", 0.0),
        ("Answer: 41", "none", None),
        ("Answer: 41", "", None),
        ("Answer: 41", None, None),
    ],
)
def test_a_model_says_what_other_work_leads_to(answer, reply, told):
    assert agreement(answer, "Six sevens are two more than forty.", reply) == (told, 1)


def test_calculations_that_come_to_something_else_are_put_to_a_model_or_contradict():
    assert agreement("Answer: 41", "6 * 7 = 42", "42") == (0.0, 1)
    assert agreement("Answer: 41", "6 * 7 = 42", by_model=False) == (0.0, 0)
    assert agreement("Answer: 41", "Six sevens.", by_model=False) == (None, 0)


def test_without_work_or_with_a_long_answer_nothing_is_told():
    assert agreement("Answer: 42", " ") == (None, 0)
    assert agreement("A story that is told in many words. " * 5, "First a plan.") == (None, 0)


def test_the_model_sees_the_notes_and_not_the_answer():
    ask = next(rederive(ASKED, AIMessage("Answer: 41"), "Forty and two."))
    said = str(ask.messages[-1].content)
    assert said.startswith("What is 6 * 7?")
    assert "Forty and two." in said
    assert "41" not in said
