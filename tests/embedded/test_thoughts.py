"""Thoughts are arithmetically true, and the slips put into them are found and repaired."""

import re
from random import Random

import pytest

from adaptive_reasoner.embedded.problems import Problem, Step, evaluate, generate
from adaptive_reasoner.embedded.thoughts import (
    ImpossibleSlipError,
    Slip,
    Thought,
    draw_slip,
    write_thought,
    write_work,
)

SHOP = Problem(
    question="A shop sells pens for 12 and cups for 7 dollars each. Ann buys 5 pens and 3 cups. She pays with 150"
    " dollars. How much change is there?",
    answer=69,
    level=4,
    family="shop",
    steps=(
        Step("pens", "*", 5, 12),
        Step("cups", "*", 3, 7),
        Step("all", "+", "pens", "cups"),
        Step("change", "-", 150, "all"),
    ),
    backward=True,
)


def parts(thought: Thought) -> dict[str, str]:
    """Plan, work and check of a thought."""
    pieces = re.split(r" (plan|work|check):", thought.text)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def equations(text: str) -> list[tuple[int, int]]:
    """(value of the left side, number on the right) of each equation; "a = b + c = d" gives two."""
    found: list[tuple[int, int]] = []
    for line in re.findall(r"\d[\d =+*/-]* = \d+", text):
        sides = [side.strip() for side in line.split("=")]
        values = [eval(side.replace("/", "//")) for side in sides]
        found += [(value, values[-1]) for value in values[:-1]]
    return found


def test_a_thought_plans_works_and_checks():
    assert write_thought(SHOP).text == (
        " plan: change: 150 - all; all: pens + cups; cups: 3 * 7; pens: 5 * 12."
        " work: pens: 5 * 12 = 60; cups: 3 * 7 = 21; all: 60 + 21 = 81; change: 150 - 81 = 69."
        " check: pens: 12 * 5 = 50 + 10 = 60 ok; cups: 7 * 3 = 21 ok; all: 81 - 21 = 60 ok;"
        " change: 69 + 81 = 150 ok."
    )


def test_every_equation_of_a_thought_is_true():
    for problem in generate("train", 2000, seed=11):
        thought = write_thought(problem)
        assert thought.answer == problem.answer
        assert " no" not in thought.text
        for left, right in equations(thought.text):
            assert left == right, thought.text


def test_a_plan_computes_nothing():
    for problem in generate("train", 500, seed=12):
        assert "=" not in parts(write_thought(problem))["plan"]


def test_the_work_ends_with_the_answer():
    for problem in generate("train", 500, seed=13):
        assert int(re.findall(r"\d+", parts(write_thought(problem))["work"])[-1]) == problem.answer


@pytest.mark.parametrize("kind", ["result", "lookup", "check"])
def test_the_check_finds_and_repairs_every_slip(kind):
    rng = Random(5)
    tried = 0
    for problem in generate("train", 1500, seed=14):
        slip = draw_slip(rng, problem, kind)
        values = evaluate(problem.steps, problem.given)
        if slip is None or values is None or 0 in values.values():
            continue  # misreading a factor of 0 changes nothing
        try:
            thought = write_thought(problem, slip)
        except ImpossibleSlipError:
            continue
        tried += 1
        assert " no;" in parts(thought)["check"]
        assert thought.answer == problem.answer
    assert tried > 500


def test_a_wrong_result_spoils_what_follows_until_the_check_redoes_it():
    thought = write_thought(SHOP, Slip("result", 1, 24))
    assert "cups: 3 * 7 = 24; all: 60 + 24 = 84; change: 150 - 84 = 66." in thought.text
    assert "cups: 7 * 3 = 21 no; cups: 3 * 7 = 21;" in thought.text
    assert (
        "all: 84 - 21 = 63 no; all: 60 + 21 = 81; change: 66 + 81 = 147 no; change: 150 - 81 = 69."
        in thought.text
    )
    assert thought.answer == 69


def test_a_misread_number_is_read_again_by_the_check():
    thought = write_thought(SHOP, Slip("lookup", 0, 7, "right"))
    assert "plan: change: 150 - all; all: pens + cups; cups: 3 * 7; pens: 5 * 7." in thought.text
    assert "work: pens: 5 * 7 = 35;" in thought.text
    assert "check: pens: 12 * 5 = 50 + 10 = 60 no; pens: 5 * 12 = 60;" in thought.text


def test_a_wrong_check_does_not_change_a_right_result():
    thought = write_thought(SHOP, Slip("check", 2, 61))
    assert "all: 81 - 21 = 61 no; all: 60 + 21 = 81; change: 69 + 81 = 150 ok." in thought.text
    assert thought.answer == 69


def test_only_the_wrong_numbers_carry_no_loss():
    wrong = [
        text for text, weight in write_thought(SHOP, Slip("lookup", 0, 7, "right")).segments if not weight
    ]
    assert wrong == [" 7", " 7"]
    wrong = [text for text, weight in write_thought(SHOP, Slip("result", 1, 24)).segments if not weight]
    assert wrong == [" 24"]


def test_a_slip_that_leaves_the_numbers_is_refused():
    with pytest.raises(ImpossibleSlipError):
        write_thought(SHOP, Slip("lookup", 0, 60, "right"))


def test_a_rationale_is_the_work_alone():
    assert (
        write_work(SHOP) == " pens: 5 * 12 = 60; cups: 3 * 7 = 21; all: 60 + 21 = 81; change: 150 - 81 = 69."
    )
