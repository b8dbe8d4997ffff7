"""Which tokens make up the answer span."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.uncertainty.spans import find_answer_ranges
from adaptive_reasoner.uncertainty.structured import scalar_values
from adaptive_reasoner.uncertainty.tokens import TokenLogprobs

Range = tuple[int, int]

_START, _END = itemgetter(0), itemgetter(1)


def answer_ranges(answer: TokenLogprobs, answer_span: AnswerSpan) -> list[Range]:
    """`find_answer_ranges` of a text; of a tool call, "auto" means the values of its arguments."""
    if answer.is_tool_call and answer_span == "auto":
        return scalar_values(answer.text) or [(0, len(answer.text))]
    return find_answer_ranges(answer.text, answer_span)


def tokens_within(offsets: Sequence[Range], ranges: Sequence[Range]) -> list[int]:
    """The places of the tokens that share a character with a range, in order.

    Args:
        offsets: each token's [start, end) in characters, in order, so that they can be searched by halves.
        ranges: [start, end) in characters.
    """
    if len(ranges) == 1:
        return list(_between(offsets, ranges[0]))
    return sorted({place for one in ranges for place in _between(offsets, one)})


def _between(offsets: Sequence[Range], one: Range) -> range:
    low, high = one
    return range(bisect_right(offsets, low, key=_END), bisect_left(offsets, high, key=_START))
