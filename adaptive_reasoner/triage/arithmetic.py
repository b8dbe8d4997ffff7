"""Counts that say how much there is to compute in a story problem."""

import math
import re

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[a-z]+")
_CUES: dict[str, frozenset[str]] = {
    "multiply": frozenset({"times", "twice", "double", "each", "every", "per"}),
    "divide": frozenset({"half", "divided", "share", "split", "equally"}),
    "compare": frozenset({"than", "fewer", "less", "as"}),
    "change": frozenset({"then", "buys", "gives", "loses", "finds", "gets", "sells", "eats", "wins", "more"}),
    "money": frozenset({"costs", "cost", "pays", "dollars", "price", "change", "earns", "hour", "hours"}),
    "sum": frozenset({"together", "total", "altogether", "both", "all"}),
}
_LONGEST = 20_000  # characters that are looked at: a question's work shows in its beginning
_LARGEST_DIGITS = 12
FEATURES: tuple[str, ...] = (
    "numbers", "large_numbers", "magnitude", "words", "sentences", "plus_minus", "times_signs", "brackets",
    *(f"{cue}_words" for cue in _CUES), "log_words", "log_numbers", "beyond_two_numbers", "symbol_numbers",
    "compared_numbers",
)  # fmt: skip


def text_features(text: str) -> dict[str, float]:
    """Counts that say how much there is to compute in `text`; the keys are `FEATURES`."""
    text = text[:_LONGEST]
    words = _WORD.findall(text.lower())
    numbers = _NUMBER.findall(text)
    count = len(numbers)
    cues = {f"{cue}_words": sum(map(members.__contains__, words)) for cue, members in _CUES.items()}
    plus_minus = text.count("+") + text.count(" - ")
    times_signs = text.count("*") + text.count("/")
    counts: dict[str, float] = {
        "numbers": count,
        "large_numbers": sum(len(number) > 1 for number in numbers),
        "magnitude": sum(math.log1p(int(number[:_LARGEST_DIGITS])) for number in numbers),
        "words": len(words),
        "sentences": sum(text.count(mark) for mark in ".?!"),
        "plus_minus": plus_minus,
        "times_signs": times_signs,
        "brackets": text.count("("),
        "log_words": math.log1p(len(words)),
        "log_numbers": math.log1p(count),
        "beyond_two_numbers": max(count - 2, 0),
        "symbol_numbers": count if plus_minus + times_signs else 0,
        "compared_numbers": count if cues["compare_words"] else 0,
    }
    return {name: float(value) for name, value in {**counts, **cues}.items()}
