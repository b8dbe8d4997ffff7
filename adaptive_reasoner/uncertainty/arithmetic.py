"""Calculations written in prose, read and done again: "9 sprints x 60 meters = 540 meters". Nothing is executed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_TOKEN = re.compile(
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?P<percent>\s*%)?"
    r"|(?P<times>[xX](?=\s*[\d$(]))|(?P<word>[^\W\d_]{2,})|(?P<minus>-(?=\s))|(?P<sign>[-+*/()=])|(?P<skipped>[\s$€£]+)|(?P<other>.)"
)
_PLAIN = str.maketrans({"×": "*", "⋅": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "≈": "="})  # noqa: RUF001
_LATEX = (
    (re.compile(r"\\(?:times|cdot)\b"), "*"),
    (re.compile(r"\\div\b"), "/"),
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:text|mathrm)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\[()\[\]$%]"), " "),
)
_OPERATORS = ("+", "-", "*", "/")
_CLOSERS = "0123456789)"
_MOST_UNIT_WORDS = 3
_MOST_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Token:
    """A number, with the size of half a unit in its last written place, or a sign."""

    text: str
    value: float = 0.0
    rounding: float = 0.0


@dataclass(frozen=True, slots=True)
class Equation:
    """One step of written work.

    Attributes:
        left: what the left side comes to.
        right: what is written to the right of the equals sign, done again where it is a calculation.
        rounding: by how much the two may differ and still be equal as written.
    """

    left: float
    right: float
    rounding: float

    @property
    def holds(self) -> bool:
        """True if both sides are equal, to the places that are written."""
        return abs(self.left - self.right) <= self.rounding + 1e-9 * max(abs(self.left), abs(self.right))


def find_equations(text: str) -> list[Equation]:
    """Every calculation with its result, in order; algebra, and what is no calculation, is left out."""
    plain = text[:_MOST_CHARACTERS]
    for pattern, replacement in _LATEX:
        plain = pattern.sub(replacement, plain)
    return [
        equation
        for line in plain.translate(_PLAIN).splitlines()
        for run in _runs(line)
        for equation in _equations(run)
    ]


def _runs(line: str) -> Iterator[list[Token]]:
    """Stretches of numbers and signs, with up to three words (units) after each number."""
    run: list[Token] = []
    words = 0
    for match in _TOKEN.finditer(line):
        if match["skipped"]:
            continue
        token = _token(match, run)
        if token is None and match["word"] and words < _MOST_UNIT_WORDS and _ends_operand(run):
            words += 1
            continue
        if (
            token is not None
            and token.text == "("
            and _ends_operand(run)
            and line[match.start() - 1] in _CLOSERS
        ):
            run.append(Token("*"))  # 3(15)
        elif (
            token is None
            or (run and _begins_operand(token) and _ends_operand(run))
            or words > _MOST_UNIT_WORDS
        ):
            yield run
            run = []
        words = 0
        if token is not None:
            run.append(token)
    yield run


def _token(match: re.Match[str], run: Sequence[Token]) -> Token | None:
    if match["number"]:
        decimals = len(match["number"].partition(".")[2])
        scale = 0.01 if match["percent"] else 1.0
        value = float(match["number"].replace(",", "")) * scale
        return Token("%" if match["percent"] else "n", value, 0.5 * 10.0**-decimals * scale)
    if match["times"] and _ends_operand(run):
        return Token("*")
    if match["word"] == "of" and run and run[-1].text == "%":
        return Token("*")
    if match["minus"]:  # takes away, or from a word, which makes no calculation
        return Token("-" if run else "?")
    return Token(match["sign"]) if match["sign"] else None


def _begins_operand(token: Token) -> bool:
    return token.text in ("n", "%", "(")


def _ends_operand(run: Sequence[Token]) -> bool:
    return bool(run) and run[-1].text in ("n", "%", ")")


def _equations(run: Sequence[Token]) -> Iterator[Equation]:
    sides: list[list[Token]] = [[]]
    for token in run:
        if token.text == "=":
            sides.append([])
        else:
            sides[-1].append(token)
    for left, right in pairwise(sides):
        if not right or not any(token.text in _OPERATORS for token in left[1:]):
            continue
        values = _value(left), _value(right)
        if values[0] is not None and values[1] is not None:
            yield Equation(values[0], values[1], right[0].rounding if len(right) == 1 else 1e-6)


def _value(side: Sequence[Token]) -> float | None:
    """The side's value by the usual precedence; None where it is no calculation."""
    reader = _Reader(side)
    try:
        value = reader.sum()
    except (IndexError, ZeroDivisionError, RecursionError):
        return None
    return value if reader.at_end() else None


class _Reader:
    """Recursive descent over one side of an equation; an index error is a side that is cut off."""

    def __init__(self, side: Sequence[Token]) -> None:
        self._side = side
        self._next = 0

    def at_end(self) -> bool:
        return self._next == len(self._side)

    def sum(self) -> float:
        total = self._product()
        while (sign := self._take("+", "-")) is not None:
            total += self._product() if sign == "+" else -self._product()
        return total

    def _product(self) -> float:
        product = self._operand()
        while (sign := self._take("*", "/")) is not None:
            product = product * self._operand() if sign == "*" else product / self._operand()
        return product

    def _operand(self) -> float:
        if self._take("-"):
            return -self._operand()
        if self._take("("):
            inner = self.sum()
            if not self._take(")"):
                raise IndexError
            return inner
        token = self._side[self._next]
        if token.text not in ("n", "%"):
            raise IndexError
        self._next += 1
        return token.value

    def _take(self, *signs: str) -> str | None:
        if self.at_end() or self._side[self._next].text not in signs:
            return None
        self._next += 1
        return self._side[self._next - 1].text
