"""A worker's pay: hours a day, wages by the hour, bonuses and costs."""

from random import Random

from adaptive_reasoner.embedded.problems.program import (
    Operand,
    Operator,
    Problem,
    Solution,
    Step,
    make_problem,
)
from adaptive_reasoner.embedded.problems.words import DAYS, PEOPLE, PLACES, pronoun

_DEAREST_WEEK = 180  # dollars, so that a bonus still fits below 199
_HOUR_SUMS = ("two", "three", "four", "hours")
_JOB_SUMS = ("both", "all")
_EXTRAS: tuple[tuple[str, Operator, str], ...] = (
    ("bonus", "+", "{} also gets a bonus of {} dollars."),
    ("tips", "+", "{} also gets {} dollars in tips."),
    ("lunch", "-", "{} spends {} dollars on lunch."),
    ("bus", "-", "{} spends {} dollars on the bus."),
    ("tax", "-", "{} pays {} dollars of tax."),
)


def draw_pay(rng: Random, level: int) -> Problem | None:
    """Draw a pay slip of `level` operations, or None where it gets too high."""
    name = rng.choice(PEOPLE)
    jobs = rng.choice([n for n in (1, 2, 3) if 2 * n - 1 <= level])
    if jobs == 1:
        days = rng.randint(max(1, level - 4), min(level, len(DAYS) - 1))
        sentences, steps = _one_job(rng, name, days)
    else:
        sentences, steps = _several_jobs(rng, name, jobs)
    told, extra_steps = _settle(rng, name, steps[-1].key, level - len(steps))
    question = " ".join([*sentences, *told, _ask(rng, name)])
    return make_problem(question, "pay", Solution((*steps, *extra_steps), backward=True))


def _one_job(rng: Random, name: str, days: int) -> tuple[list[str], list[Step]]:
    hours = [rng.randint(2, 9) for _ in range(days)]
    wage = rng.randint(2, max(2, min(30, _DEAREST_WEEK // sum(hours))))
    chosen = sorted(rng.sample(range(len(DAYS)), days))
    parts = [f"{count} hours on {DAYS[day]}" for count, day in zip(hours, chosen, strict=True)]
    steps: list[Step] = []
    total: Operand = hours[0]
    names = _HOUR_SUMS[: days - 2] + _HOUR_SUMS[-1:] if days > 1 else ()
    for key, count in zip(names, hours[1:], strict=True):
        steps.append(Step(key, "+", total, count))
        total = key
    steps.append(Step("wage", "*", total, wage))
    work = ", ".join(parts[:-1]) + " and " + parts[-1] if days > 1 else parts[0]
    told = [f"earns {wage} dollars an hour.", f"works {work}."]
    rng.shuffle(told)
    return [f"{name} {told[0]}", f"{pronoun(name).capitalize()} {told[1]}"], steps


def _several_jobs(rng: Random, name: str, jobs: int) -> tuple[list[str], list[Step]]:
    places = rng.sample(PLACES, jobs)
    largest = 12 if jobs == 2 else 9
    wages = [rng.randint(2, largest) for _ in places]
    hours = [rng.randint(2, 8) for _ in places]
    steps = [Step(place, "*", count, wage) for place, count, wage in zip(places, hours, wages, strict=True)]
    total = places[0]
    for key, place in zip(_JOB_SUMS[-(jobs - 1) :], places[1:], strict=True):
        steps.append(Step(key, "+", total, place))
        total = key
    pays = [f"at the {place} pays {wage}" for wage, place in zip(wages, places, strict=True)]
    rng.shuffle(pays)
    works = [f"{count} hours at the {place}" for count, place in zip(hours, places, strict=True)]
    return [f"An hour {_enumerate(pays)} dollars.", f"{name} works {_enumerate(works)}."], steps


def _enumerate(entries: list[str]) -> str:
    return ", ".join(entries[:-1]) + " and " + entries[-1]


def _settle(rng: Random, name: str, due: Operand, count: int) -> tuple[list[str], list[Step]]:
    sentences: list[str] = []
    steps: list[Step] = []
    subject = pronoun(name).capitalize()
    for key, operator, sentence in rng.sample(_EXTRAS, count):
        amount = rng.randint(2, 30)
        sentences.append(sentence.format(subject, amount))
        steps.append(Step(key, operator, due, amount))
        due = key
    return sentences, steps


def _ask(rng: Random, name: str) -> str:
    if rng.random() < 0.5:
        return f"How much money does {name} have?"
    return f"How much does {pronoun(name)} take home?"
