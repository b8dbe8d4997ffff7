"""What the bed's models are taught to write after a question, without mode tokens.

A direct answer is "Answer: 42"; a worked solution is " a: 7 * 14 = 98; b: 98 + 3 = 101.Answer: 101". In the latent
mix most answers are direct, and most worked solutions stop early and jump to the answer ("ragged"): thinking is
there, but it must be steered at every step.
"""

from dataclasses import dataclass
from random import Random
from typing import cast

from adaptive_reasoner.embedded.branches import Branch
from adaptive_reasoner.embedded.dialogue import Mode, answer_text, render_prompt
from adaptive_reasoner.embedded.problems import MAX_VALUE, Problem, calculate
from adaptive_reasoner.embedded.thoughts import write_work
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.training.embedded.examples import Example, draw_training_problem

_LOOSE_EQUATIONS = 4
# Names a branch to the batches, which weigh those of the embedded model's modes; ours weigh 1.
_PLAIN = cast("Mode", "plain")


@dataclass(frozen=True, slots=True)
class Mix:
    """What is drawn for training.

    Attributes:
        worked: share of the answers that are worked solutions; the others are direct.
        ragged: share of the worked solutions of two steps and more that stop early.
        loose: share of the examples that are equations without a question.
    """

    worked: float
    ragged: float
    loose: float


LATENT = Mix(worked=0.1, ragged=0.85, loose=0.15)
THINKING = Mix(worked=1.0, ragged=0.0, loose=0.0)


def draw(rng: Random, mix: Mix) -> Example:
    """One training example; a prompt always has its direct answer where the mix has direct ones."""
    if rng.random() < mix.loose:
        return Example([special("<bos>")], [_branch(_loose_equations(rng))])
    problem = draw_training_problem(rng)
    branches: list[Branch] = []
    odds = 1.0
    if mix.worked < 1:
        branches.append(_branch(answer_text(problem.answer)))
        # Beside one direct answer each time, so many worked ones make their share `worked`.
        odds = mix.worked / (1 - mix.worked)
    if rng.random() < odds:
        branches.append(_branch(worked(problem, rng, mix.ragged)))
    return Example(prompt_ids(problem.question), branches)


def prompt_ids(question: str) -> list[int]:
    """A question up to where the model answers."""
    return render_prompt([("user", question)])


def worked(problem: Problem, rng: Random, ragged: float) -> str:
    """A worked solution, perhaps one that stops after a random number of its steps."""
    work = write_work(problem)
    if problem.level > 1 and rng.random() < ragged:
        kept = work.split(";")[: rng.randint(1, problem.level - 1)]
        work = ";".join(kept) + "."
    return work + answer_text(problem.answer)


def _loose_equations(rng: Random) -> str:
    found: list[str] = []
    while len(found) < _LOOSE_EQUATIONS:
        operator = rng.choice(("+", "-", "*", "/"))
        left, right = rng.randint(0, MAX_VALUE), rng.randint(0, 60 if operator in "+-" else 12)
        value = calculate(operator, left, right)
        if value is not None:
            found.append(f" {left} {operator} {right} = {value}")
    return ";".join(found) + "."


def _branch(text: str) -> Branch:
    ids = [*encoding().encode_ordinary(text), special("<eos>")]
    return Branch(_PLAIN, ids, [1.0] * len(ids))
