"""A safety valve: at least a stated share of the queries thinks, whatever is predicted for them.

The questions are drawn by a hash of their text. So a replay draws the same ones, replicas need no common counter, and
what is drawn is an unbiased sample of the distinct questions that reach it: the one to monitor by.
"""

from collections.abc import Sequence
from hashlib import blake2b

from langchain_core.messages import BaseMessage

from adaptive_reasoner.triage.follow_up import question_in_thread

_BYTES = 8


def is_drawn(messages: Sequence[BaseMessage], share: float) -> bool:
    """True for `share` of all questions; a follow-up is drawn with the question that it leans on."""
    return share > 0 and lot_of(question_in_thread(messages)) < share


def lot_of(question: str) -> float:
    """The question's number in [0, 1), the same in every process; white space and case make no difference."""
    same = " ".join(question.split()).casefold()
    digest = blake2b(same.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
    return int.from_bytes(digest, "big") / 2 ** (8 * _BYTES)
