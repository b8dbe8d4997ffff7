"""How an entropy looks: a bar for every eye, a colour for those that have it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar, its stand-in where only ASCII can be printed, and a colour."""

    below_nats: float
    bar: str
    ascii_bar: str
    style: str


# .2 nats is where a token counts as uncertain, see `adaptive_reasoner.uncertainty`.
MARKS = (
    Mark(0.05, "▁", "_", "green"),
    Mark(0.2, "▂", ".", "green"),
    Mark(0.5, "▄", "-", "yellow"),
    Mark(1.0, "▆", "=", "dark_orange"),
    Mark(math.inf, "█", "#", "bold red"),
)
LEGEND = "bars: the token's entropy, {0} < .05 < {1} < .2 < {2} < .5 < {3} < 1 nat < {4}"

Token = tuple[str, float]
# A character that was split into tokens stands for them in the text; a few of them may follow each other.
_LONGEST_GAP = 8


def mark_of(entropy_nats: float) -> Mark:
    """The mark of one token's entropy; one that is not a number counts as the highest."""
    return next((mark for mark in MARKS if entropy_nats < mark.below_nats), MARKS[-1])


def legend(*, ascii_only: bool) -> str:
    """What the bars mean."""
    return LEGEND.format(*(mark.ascii_bar if ascii_only else mark.bar for mark in MARKS))


def aligned(text: str, tokens: Sequence[Token]) -> list[Token]:
    """Tokens that join to `text`: pieces of a split character become that character, at their highest entropy."""
    joined: list[Token] = []
    position, doubt = 0, 0.0
    for piece, nats in tokens:
        start = text.find(piece, position, position + len(piece) + _LONGEST_GAP) if piece else -1
        if start < 0:
            doubt = max(doubt, nats)
            continue
        if start > position:
            joined.append((text[position:start], doubt))
        joined.append((piece, nats))
        position, doubt = start + len(piece), 0.0
    if position < len(text):
        joined.append((text[position:], doubt))
    return joined


def marked_lines(tokens: Sequence[Token], width: int, *, ascii_only: bool) -> Iterator[Text]:
    """The tokens in lines of at most `width` cells, each followed by a line of bars under the tokens."""
    for line in _lines(tokens, width):
        answer, bars = Text(), Text()
        for piece, nats in line:
            mark = mark_of(nats)
            bar = mark.ascii_bar if ascii_only else mark.bar
            answer.append(piece, style=mark.style)
            lead = len(piece) - len(piece.lstrip())
            bars.append(" " * lead + bar * (cell_len(piece) - lead), style=mark.style)
        yield answer
        yield bars


def _lines(tokens: Sequence[Token], width: int) -> Iterator[list[Token]]:
    line: list[Token] = []
    used = 0
    for piece, nats, ends_line in _pieces(tokens):
        wraps = bool(line) and used + cell_len(piece) > width
        if wraps:
            yield line
            line, used = [], 0
        kept = piece.lstrip(" ") if wraps else piece
        if kept:
            line.append((kept, nats))
            used += cell_len(kept)
        if ends_line and line:
            yield line
            line, used = [], 0
    if line:
        yield line


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[str, float, bool]]:
    """Tokens cut at their line breaks; True where a line ends. Tabs would break the columns."""
    for text, nats in tokens:
        *ended, rest = text.replace("\t", " ").split("\n")
        for piece in ended:
            yield piece.rstrip("\r"), nats, True
        if rest:
            yield rest, nats, False
