"""Where the answer stands in a text: the part whose tokens a gate should look at."""

import re
from collections.abc import Iterator

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.uncertainty.marked_answers import boxed, tagged
from adaptive_reasoner.uncertainty.structured import labelled_value, scalar_values

Range = tuple[int, int]

# A text of no more than this is its own answer. Characters count too: some scripts write no spaces.
_SHORT_WORDS = 12
_SHORT_CHARACTERS = 80

_LABELS = (
    "answer|answer is|ans|result|solution|antwort|respuesta|réponse|risposta|resposta|ответ"
    "|答え|回答|解答|答案|정답"
)
_LABELLED_LINE = re.compile(
    rf"^[ \t>*_#\-]*(?:(?:the|my|so\ the|final|correct)\ )*(?:{_LABELS})[ \t]*+[*_]*+[ \t]*+[:=：][ \t*_`$]*",  # noqa: RUF001
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(
    rf"^[ \t]*(?:\#{{1,6}}[ \t]*|\*\*|__)[*_]*(?:(?:the|my|final|correct)\ )*(?:{_LABELS})[*_ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_HASH_LINE = re.compile(r"^####[ \t]*", re.MULTILINE)
_SENTENCE = re.compile(
    r"\b(?:answer|result|solution|option|choice)\ (?:is|equals|would\ be)[ \t]*:?[ \t*_`$]*", re.IGNORECASE
)
_CHOICE = re.compile(r"\s*[*_(\[]*([A-Ja-j])(?:[)\]:.*_]+(?:\s|$)|\s*$)")
_LONGEST_END_MARK = 60
_END_MARK = re.compile(r"(?:<\|[^<>|\s]{1,40}\|>|</s>|<eos>|<end_of_turn>)\s*\Z")
_CONTENT = re.compile(r"\s*(?:(?:```\w*|\$\$|\\\[)[ \t]*\n\s*)?(?=\S)")  # on the next line, or within a block
# A line that says nothing but which choice it is; a capital, because "a" is a word.
_CHOICE_LINE = re.compile(
    r"^[^\w\n]{0,9}(?:(?:so|thus|hence|therefore),?\ )?(?:(?:i(?:'d|\ would)?\ )?(?:choose|select|pick|go\ with)\ )?"
    r"(?:(?:the\ )?(?:option|choice|letter)[ \t]*:?[ \t]*|(?:答案|正解|答え)(?:是|为|は)[ \t]*)?"
    r"[^\w\n]{0,9}(?<![A-Za-z\d])([A-J])(?![^\W\d_]|\d)[^\w\n]{0,9}$",
    re.IGNORECASE | re.MULTILINE,
)
_LONE_LINE = re.compile(
    r"(?:\*\*[^*\n]{1,80}\*\*|__[^_\n]{1,80}__|`[^`\n]{1,80}`|\$\$?[^$\n]{1,80}\$\$?|\\[\[(][^\n]{1,80}\\[\])]"
    r"|[-+]?[$€£]?[ \t]*\d[\d.,:/]*[ \t]*[%$€£]?)[.]?"
)
_CONCLUSION = re.compile(
    r"[ \t>*_#\-]*(?:therefore|thus|hence|so|finally|in total|in conclusion|altogether|overall)\b",
    re.IGNORECASE,
)
# The full stop after an abbreviation or an initial ends no sentence.
_SENTENCE_END = re.compile(
    r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bMt)(?<!\bvs)(?<!\bMrs)(?<!\bProf)(?<!\b[A-Z])[.!?](?=\s)|[。！？]"  # noqa: RUF001
)
_TRIM_LEFT = " \t\r\n*_`$\"'“‘("  # noqa: RUF001
_TRIM_RIGHT = " \t\r\n*_`$\"'”’).,;:!?。！？"  # noqa: RUF001

_OPENING_MATH, _CLOSING_MATH = ("\\(", "\\["), ("\\)", "\\]")


def find_answer_span(text: str, answer_span: AnswerSpan = "auto") -> Range:
    """The characters of `text` from the answer's first to its last, as [start, end).

    Args:
        text: an answer's visible text.
        answer_span: "auto" looks, in this order, for an answer field of (nearly) JSON, a box, a line
            "Answer: …", a sentence "the answer is …", a lone choice letter, a short text, a concluding last
            line; "whole"; a regular expression (its group 1, or the whole match; the last match counts); or a
            callable.

    Returns:
        The span; the whole text where nothing is found.

    Raises:
        ConfigurationError: the regular expression is malformed.
    """
    ranges = find_answer_ranges(text, answer_span)
    return ranges[0][0], ranges[-1][1]


def find_answer_ranges(text: str, answer_span: AnswerSpan = "auto") -> list[Range]:
    """Like `find_answer_span`, but in pieces where an answer has several: the values of a JSON object."""
    whole = [(0, len(text))]
    if callable(answer_span):
        found = answer_span(text)
        return [found] if found and 0 <= found[0] < found[1] <= len(text) else whole
    if answer_span == "whole":
        return whole
    if answer_span != "auto":
        return [_last_match(text, answer_span) or whole[0]]
    visible = text.rfind("</think>") + len("</think>") if "</think>" in text else 0
    shown = _without_end_marks(text[visible:])
    ranges = [(start + visible, end + visible) for start, end in _automatic(shown) if start < end]
    return ranges or whole


def _without_end_marks(text: str) -> str:
    """Some servers leave the end mark in the text."""
    while mark := _END_MARK.search(text, max(len(text) - _LONGEST_END_MARK, 0)):
        text = text[: mark.start()]
    return text


def _automatic(text: str) -> list[Range]:
    if field := labelled_value(text):
        return [field]
    stripped = text.strip().removeprefix("```json").strip("` \n")
    is_json = stripped[:1] + stripped[-1:] in ("{}", "[]")
    if is_json and (values := scalar_values(text)):
        return values
    for rule in (_marked, _labelled, _sentence, _choice, _choice_line, _short, _final_line, _concluding):
        if (found := rule(text)) and found[0] < found[1]:
            return [found]
    return []


def _marked(text: str) -> Range | None:
    found = boxed(text) or tagged(text)
    if found is None:
        return None
    letter = _choice(text[found[0] : found[1]])
    return (found[0] + letter[0], found[0] + letter[1]) if letter else _trim(text, *found)


def _labelled(text: str) -> Range | None:
    for label in reversed(list(_matches(text))):
        content = _CONTENT.match(text, label.end())
        if content and (found := _statement(text, content.end())):
            return found
    return None


def _matches(text: str) -> Iterator[re.Match[str]]:
    patterns = (_LABELLED_LINE, _HASH_LINE, _HEADING)
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    yield from sorted(found, key=lambda match: match.start())


def _sentence(text: str) -> Range | None:
    labels = list(_SENTENCE.finditer(text))
    return _statement(text, labels[-1].end()) if labels else None


def _statement(text: str, start: int) -> Range | None:
    """From `start` to the end of the sentence or line, trimmed; of a lettered choice only the letter."""
    line_end = text.find("\n", start)
    end = line_end if line_end >= 0 else len(text)
    if stop := _SENTENCE_END.search(text, start, end):
        end = stop.start()
    letter = _choice(text[start:end])
    return (start + letter[0], start + letter[1]) if letter else _trim(text, start, end)


def _choice(text: str) -> Range | None:
    match = _CHOICE.match(text)
    return match.span(1) if match else None


def _choice_line(text: str) -> Range | None:
    lines = [match for match in _CHOICE_LINE.finditer(text) if match[1].isupper()]
    return lines[-1].span(1) if lines else None


def _short(text: str) -> Range | None:
    short = len(text.split()) <= _SHORT_WORDS and len(text.strip()) <= _SHORT_CHARACTERS
    return _trim(text, 0, len(text)) if short else None


def _final_line(text: str) -> Range | None:
    """A last line that is nothing but a number, a formula or something marked."""
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return _trim(text, start, end) if _LONE_LINE.fullmatch(text, start, end) else None


def _concluding(text: str) -> Range | None:
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    return _trim(text, start, end) if _CONCLUSION.match(text, start, end) else None


def _trim(text: str, start: int, end: int) -> Range | None:
    """Drop quotes, markup and punctuation around an answer: format tokens say nothing about its truth."""
    while start < end and (text[start] in _TRIM_LEFT or text.startswith(_OPENING_MATH, start, end)):
        start += 2 if text[start] == "\\" else 1
    while end > start and (text[end - 1] in _TRIM_RIGHT or text.endswith(_CLOSING_MATH, start, end)):
        end -= 2 if text.endswith(_CLOSING_MATH, start, end) else 1
    return (start, end) if start < end else None


def _last_match(text: str, pattern: str) -> Range | None:
    try:
        matches = list(re.finditer(pattern, text))
    except re.error as error:
        raise ConfigurationError(f"{pattern!r} is not a regular expression: {error}.") from error
    spans = [match.span(1) if match.re.groups else match.span() for match in matches]
    return next((span for span in reversed(spans) if 0 <= span[0] < span[1]), None)
