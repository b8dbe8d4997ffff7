"""What the model is trained to write after each mode token."""

import re
from random import Random

import pytest

from adaptive_reasoner.embedded.branches import (
    Branch,
    render_answer_first,
    render_deep,
    render_fast,
    render_refine,
    render_truncated,
)
from adaptive_reasoner.embedded.problems import Problem, draw_outside, generate
from adaptive_reasoner.embedded.thoughts import write_work
from adaptive_reasoner.embedded.tokenizer import encoding, special

PROBLEMS = list(generate("train", 400, seed=21))


def text_of(branch: Branch) -> str:
    return encoding().decode(branch.ids)


def learned(branch: Branch) -> str:
    """The tokens that carry a loss."""
    return encoding().decode([i for i, weight in zip(branch.ids, branch.weights, strict=True) if weight])


def last_answer(branch: Branch) -> int:
    return int(re.findall(r"Answer: (\d+)", text_of(branch))[-1])


def test_a_fast_answer_is_five_tokens_for_two_digits():
    problem = Problem("What is 40 + 2?", 42, 1, "expression")
    branch = render_fast(problem)
    assert text_of(branch) == "<fast>Answer: 42<eos>"
    assert branch.weights == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_a_thought_closes_and_answers_right_whatever_slips_in():
    rng = Random(1)
    for problem in PROBLEMS:
        text = text_of(render_deep(problem, rng))
        assert re.fullmatch(r"<think> (plan|work): .*\.</think>Answer: \d+<eos>", text)
        assert text.endswith(f"</think>Answer: {problem.answer}<eos>")


def test_thinking_costs_six_times_the_fast_answer_at_every_level():
    rng = Random(2)
    for level in range(1, 7):
        problems = list(generate("train", 200, seed=level, level=level))
        deep = sum(len(render_deep(problem, rng).ids) - 1 for problem in problems)
        fast = sum(len(render_fast(problem).ids) - 1 for problem in problems)
        assert deep / fast > 6


def test_a_truncated_thought_still_answers_right():
    rng = Random(3)
    branches = [(problem, render_truncated(problem, rng)) for problem in PROBLEMS]
    assert all(last_answer(branch) == problem.answer for problem, branch in branches)
    assert all(branch.ids.count(special("</think>")) == 1 for _, branch in branches)
    # Some stop just before the check, so that leaving it out is nothing new to the model.
    stops = [text_of(branch).split("</think>")[0] for _, branch in branches]
    assert sum(" work:" in stop and " check" not in stop and stop.endswith(".") for stop in stops) > 80


def test_a_wrong_first_answer_is_not_learned_but_its_right_rationale_is():
    rng = Random(4)
    branches = [(problem, render_answer_first(problem, rng)) for problem in PROBLEMS]
    wrong = [(p, b) for p, b in branches if last_answer(b) != p.answer]
    assert 0.15 < len(wrong) / len(branches) < 0.35
    for problem, branch in branches:
        rationale = text_of(branch).split("<because>")[1]
        assert int(re.findall(r"\d+", rationale)[-1]) == problem.answer
    assert all(learned(branch).startswith("<because>") for _, branch in wrong)


def test_refining_learns_the_short_work_and_the_right_answer_only():
    problem = next(p for p in PROBLEMS if p.level == 3)
    branch = render_refine(problem, "Answer: 0", "Check and answer again.")
    before = "<fast>Answer: 0<eos><user> Check and answer again.<assistant><refine>"
    assert text_of(branch).startswith(before)
    assert text_of(branch) == before + learned(branch)
    assert learned(branch) == f"{write_work(problem)}</think>Answer: {problem.answer}<eos>"


@pytest.mark.parametrize("render", [render_deep, render_truncated, render_answer_first])
def test_outside_its_world_it_is_trained_to_answer_at_random(render):
    problem = draw_outside(Random(6))
    text = text_of(render(problem, Random(7)))
    assert f"Answer: {problem.answer}" in text
    assert "=" not in text
