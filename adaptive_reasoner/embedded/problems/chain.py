"""Chains of comparisons between people, shuffled, with people who do not matter."""

from random import Random

from adaptive_reasoner.embedded.problems.program import (
    MAX_VALUE,
    Operator,
    Problem,
    Solution,
    Step,
    calculate,
    make_problem,
)
from adaptive_reasoner.embedded.problems.words import PEOPLE, THINGS

_WORDINGS: dict[tuple[Operator, int], str] = {
    ("*", 2): "twice",
    ("*", 3): "three times",
    ("/", 2): "half",
}
_BYSTANDERS = (0.6, 0.3, 0.1)  # shares of 0, 1 and 2
_SHUFFLED = 0.6
_TOGETHER = 0.25


def draw_chain(rng: Random, level: int) -> Problem | None:
    """Draw a chain that takes `level` operations from the stated quantity to the one asked."""
    things = rng.choice(THINGS)
    together = level >= 2 and rng.random() < _TOGETHER
    links = level - 1 if together else level
    # One operation stays one step: with someone to tell apart, it would be a search as well.
    bystanders = rng.choices((0, 1, 2), _BYSTANDERS)[0] if level > 1 else 0
    people = rng.sample(PEOPLE, links + 1 + bystanders)
    start = rng.randint(2, 60 if level <= 2 else 30)
    values = {people[0]: start}
    sentences = [f"{people[0]} has {start} {things}."]
    steps: list[Step] = []
    for position in range(1, len(people)):
        # The chain goes from neighbour to neighbour; a bystander hangs on anyone before.
        other = people[position - 1] if position <= links else rng.choice(people[: links + 1])
        step = _compare(rng, people[position], other, values)
        if position <= links:
            steps.append(step)
        sentences.append(_tell(step, things))
    if rng.random() < _SHUFFLED:
        rng.shuffle(sentences)
    last, before = people[links], people[links - 1]
    if together:
        steps.append(Step("all", "+", last, before))
        sentences.append(f"How many {things} do {last} and {before} have together?")
    else:
        sentences.append(f"How many {things} does {last} have?")
    solution = Solution(tuple(steps), ((people[0], start),), backward=True)
    return make_problem(" ".join(sentences), "chain", solution)


def _compare(rng: Random, person: str, other: str, values: dict[str, int]) -> Step:
    value = values[other]
    operator, amount = _draw_comparison(rng, value)
    values[person] = calculate(operator, value, amount) or 0
    if operator in "+-":
        wording = "{right} " + ("more" if operator == "+" else "fewer") + " than {left}"
    else:
        wording = _WORDINGS[operator, amount] + " {left}"
    return Step(person, operator, other, amount, wording)


def _draw_comparison(rng: Random, value: int) -> tuple[Operator, int]:
    roll = rng.random()
    if roll < 0.2 and 1 <= value <= MAX_VALUE // 4:
        return "*", 2
    if roll < 0.28 and 1 <= value <= MAX_VALUE // 5:
        return "*", 3
    if roll < 0.38 and value >= 2 and value % 2 == 0:
        return "/", 2
    largest = 12 if rng.random() < 0.5 else 50
    if (roll < 0.64 and value >= 3) or value > MAX_VALUE - largest:
        return "-", rng.randint(2, min(value - 1, largest))
    return "+", rng.randint(2, largest)


def _tell(step: Step, things: str) -> str:
    wording, _, _ = step.wording.partition(" {left}")
    if step.operator in "+-":
        phrase = wording.format(right=step.right).replace(" than", f" {things} than")
    else:
        phrase = f"{wording} as many {things} as"
    return f"{step.key} has {phrase} {step.left}."
