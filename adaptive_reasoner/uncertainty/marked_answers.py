"""Answers between marks made for them: boxes of LaTeX, and tags."""

import re

Range = tuple[int, int]

_BOX = re.compile(r"\\(?:boxed|fbox)[ \t]*\{")
_BARE_BOX = re.compile(r"\\(?:boxed|fbox)[ \t]+([^\s{}$\\]+)")
_STYLE = re.compile(r"\s*\\(?:text|mathrm|mathbf|textbf|textit|mathit|boxed)[ \t]*\{")
_TAG = re.compile(r"<(/?)(answer|final_answer|final|solution|result)>", re.IGNORECASE)
# Boxes before these are not looked at: a text of nothing but open boxes must not stall.
_MOST_BOXES = 8


def boxed(text: str) -> Range | None:
    """What the last closed box holds, without the styles around all of it."""
    for box in reversed(list(_BOX.finditer(text))[-_MOST_BOXES:]):
        end = _closing(text, box.end())
        if end is not None and end > box.end():
            return _unstyled(text, box.end(), end)
    bare = list(_BARE_BOX.finditer(text))
    return bare[-1].span(1) if bare else None


def tagged(text: str) -> Range | None:
    """What stands between the last </answer> and the <answer> before it."""
    end: re.Match[str] | None = None
    for tag in reversed(list(_TAG.finditer(text))):
        if end is None and tag[1]:
            end = tag
        elif end is not None and not tag[1] and tag[2].lower() == end[2].lower():
            return tag.end(), end.start()
    return None


def _closing(text: str, start: int) -> int | None:
    """Where the brace closes that was opened before `start`; braces nest, and a backslash makes one a letter."""
    depth, position = 1, start
    while position < len(text):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
        position += 2 if text[position] == "\\" else 1
    return None


def _unstyled(text: str, start: int, end: int) -> Range:
    """Take off text styles that hold the whole."""
    while style := _STYLE.match(text, start, end):
        closed = _closing(text, style.end())
        if closed is None or closed > end or text[closed + 1 : end].strip() or closed == style.end():
            break
        start, end = style.end(), closed
    return start, end
