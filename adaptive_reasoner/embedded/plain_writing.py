# ruff: noqa: RUF001 - the signs that people type
"""A question as people type it, written as the embedded model reads: "what's 17*6-4?" is "What is 17 * 6 - 4?".

Only the writing changes, never a number, a word of the story or an operation; its own problems stay as they are.
"""

import re

_OPERATORS = {
    "+": "+", "-": "-", "−": "-", "–": "-", "*": "*", "×": "*", "·": "*", "x": "*", "X": "*", "/": "/", "÷": "/",
    "plus": "+", "minus": "-", "times": "*", "divided by": "/", "multiplied by": "*",
}  # fmt: skip
# Between two numbers alone; brackets count as numbers.
_OPERATION = re.compile(
    r"(?<=[\d)])[ \t]*(?:([-+*/×÷·−–])|[ \t]([xX]|plus|minus|times|divided by|multiplied by)[ \t])[ \t]*(?=[\d(])"
)
_CROSS = re.compile(r"(?<=\d)[xX](?=\d)")
_THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])")
_WHAT_IS = re.compile(r"^what(?:['’]s| is)\b", re.IGNORECASE)


def as_learned(question: str) -> str:
    """`question` in the spelling of the problems that the model was trained on."""
    text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), question.strip())
    text = _CROSS.sub("*", text)
    text = _OPERATION.sub(lambda found: f" {_OPERATORS[found[1] or found[2]]} ", text)
    return _WHAT_IS.sub("What is", text)
