"""Shopping: prices, counts, a coupon and the change."""

from dataclasses import dataclass
from random import Random

from adaptive_reasoner.embedded.problems.program import Operand, Problem, Solution, Step, make_problem
from adaptive_reasoner.embedded.problems.words import PEOPLE, THINGS, pronoun

_BILLS = (10, 20, 50, 100, 120, 150, 180)
_SPARE = 0.15  # share of shops that also sell what nobody buys
_SUMS = ("sum", "more", "all")


@dataclass(frozen=True, slots=True)
class _Basket:
    """How many kinds are bought, how many of them in a number > 1, and what follows."""

    kinds: int
    counted: int
    coupon: bool
    change: bool

    @property
    def level(self) -> int:
        return self.counted + self.kinds - 1 + self.coupon + self.change


_BASKETS = [
    _Basket(kinds, counted, coupon, change)
    for kinds in (1, 2, 3)
    for counted in range(kinds + 1)
    for coupon in (False, True)
    for change in (False, True)
]
_BASKETS_BY_LEVEL = {level: [basket for basket in _BASKETS if basket.level == level] for level in range(1, 7)}


def draw_shop(rng: Random, level: int) -> Problem | None:
    """Draw a purchase of `level` operations, or None where it gets too dear."""
    basket = rng.choice(_BASKETS_BY_LEVEL[level])
    name = rng.choice(PEOPLE)
    spare = level > 1 and rng.random() < _SPARE
    goods: list[str] = rng.sample(THINGS, basket.kinds + spare)
    largest = 60 if basket.kinds == 1 and not basket.counted else 25 if basket.kinds < 3 else 15
    prices = [rng.randint(2, largest) for _ in goods]
    counts = [rng.randint(2, 9) if i < basket.counted else 1 for i in range(basket.kinds)]
    rng.shuffle(counts)
    steps = _buy(goods, prices, counts)
    singles = zip(goods, prices, counts, strict=False)
    given = tuple((thing, price) for thing, price, count in singles if count == 1)
    sentences = [_price_list(rng, goods, prices), _purchase(name, goods, counts)]
    due: Operand = steps[-1].key if steps else goods[0]
    extras = _settle(rng, basket, name, due)
    question = " ".join([*sentences, *extras[0]])
    return make_problem(question, "shop", Solution((*steps, *extras[1]), given, backward=True))


def _buy(goods: list[str], prices: list[int], counts: list[int]) -> list[Step]:
    steps: list[Step] = []
    parts: list[Operand] = list(goods[: len(counts)])
    for thing, price, count in zip(goods, prices, counts, strict=False):
        if count > 1:
            steps.append(Step(thing, "*", count, price))
    total = parts[0]
    names = _SUMS[-(len(parts) - 1) :] if len(parts) > 1 else ()
    for key, part in zip(names, parts[1:], strict=True):
        steps.append(Step(key, "+", total, part))
        total = key
    return steps


def _price_list(rng: Random, goods: list[str], prices: list[int]) -> str:
    entries = [f"{thing} for {price}" for thing, price in zip(goods, prices, strict=True)]
    rng.shuffle(entries)
    return f"A shop sells {_enumerate(entries)} dollars each."


def _purchase(name: str, goods: list[str], counts: list[int]) -> str:
    entries = [
        f"{count} {thing}" if count > 1 else f"one of the {thing}"
        for thing, count in zip(goods, counts, strict=False)
    ]
    return f"{name} buys {_enumerate(entries)}."


def _enumerate(entries: list[str]) -> str:
    if len(entries) == 1:
        return entries[0]
    return ", ".join(entries[:-1]) + " and " + entries[-1]


def _settle(rng: Random, basket: _Basket, name: str, due: Operand) -> tuple[list[str], list[Step]]:
    """The sentences and steps from the sum of the goods to what is asked."""
    sentences: list[str] = []
    steps: list[Step] = []
    subject = pronoun(name)
    if basket.coupon:
        coupon = rng.randint(1, 15)
        sentences.append(f"A coupon takes {coupon} dollars off.")
        steps.append(Step("pay", "-", due, coupon))
        due = "pay"
    if basket.change:
        bill = rng.choice(_BILLS) if rng.random() < 0.5 else rng.randint(20, 199)
        sentences.append(f"{subject.capitalize()} pays with {bill} dollars.")
        steps.append(Step("change", "-", bill, due))
        sentences.append("How much change is there?")
    else:
        sentences.append(f"How much does {subject} pay?")
    return sentences, steps
