"""Values in JSON, and in what models write instead of JSON ({'sol': 'd'}), by their place in the text."""

import re

Range = tuple[int, int]

# An escaped quote begins none: from each of a long run of them, the search would go to the end of the text.
_STRING = r'(?<!\\)"(?:[^"\\]|\\.)*+"|(?<!\\)\'(?:[^\'\\\n]|\\.)*+\''
_SCALAR = r"-?\d[\d.,eE+\-]*(?<!,)|true|false|null|True|False|None"
_ANSWER_FIELD = re.compile(
    r"""(?:["']|(?<=[{,])\s*)(?:final_?answer|answer|sol|solution|result|choice)["']?\s*:\s*(?:"""
    rf"(?P<string>{_STRING})|(?P<scalar>{_SCALAR}|[^\W\d_]+(?=\s*[,}}])))",
    re.IGNORECASE,
)
_LEXEME = re.compile(
    rf"(?P<key>(?:{_STRING})\s*:)|(?P<string>{_STRING})|(?P<scalar>(?<![\w.])(?:{_SCALAR})(?!\w))"
)


def labelled_value(text: str) -> Range | None:
    """The value of the last field named like an answer ("answer", "sol", …), without its quotes."""
    matches = list(_ANSWER_FIELD.finditer(text))
    return _value(matches[-1]) if matches else None


def scalar_values(text: str) -> list[Range]:
    """Every string (without its quotes), number and constant that is a value; keys and syntax are none."""
    return [place for _, place in named_values(text)]


def named_values(text: str) -> list[tuple[str, Range]]:
    """The same, each with the key before it; those of a list share their list's, "" where there is none."""
    found: list[tuple[str, Range]] = []
    name = ""
    for lexeme in _LEXEME.finditer(text):
        if lexeme.lastgroup == "key":
            name = lexeme["key"].rstrip(": \t\r\n").strip("\"'")
        else:
            found.append((name, _value(lexeme)))
    return found


def _value(match: re.Match[str]) -> Range:
    if match["scalar"] is not None:
        return match.span("scalar")
    start, end = match.span("string")
    return (start + 1, end - 1) if end - start > 2 else (start, end)  # an empty string is its quotes
