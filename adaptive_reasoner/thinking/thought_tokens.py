"""Log probabilities of tokens that are no part of the answer: of its rationale, and of thoughts that a policy hides.

Their entries spell out what was thought, so they go where the words go; of a thought's own list only the numbers stay.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, cast

from adaptive_reasoner.thinking.policy import ThoughtPolicy
from adaptive_reasoner.uncertainty.rationale_text import split_rationale

Json = dict[str, Any]


def visible_tokens(
    metadata: Json, *, text: str, rationale: str, thoughts: str, policy: ThoughtPolicy
) -> Json:
    """`metadata`, a message's or a generation's, without the entries that must not be seen; the same if there are none.

    Args:
        metadata: may hold `logprobs` and `reasoning_logprobs`, as OpenAI and this package's models write them.
        text: of the answer.
        rationale: that came after it, "" if none did.
        thoughts: as the model wrote them, "" if it showed none.
        policy: what becomes of them.
    """
    changed: Json = {}
    hides = policy.words is not None
    if hides and (apart := _content(metadata.get("reasoning_logprobs"))):
        numbers = [{"token": "", "logprob": entry.get("logprob")} for entry in apart]
        changed["reasoning_logprobs"] = {"content": numbers}
    entries = _content(metadata.get("logprobs"))
    if entries and (rationale or (hides and thoughts)):
        kept = _before_rationale(entries, rationale) if rationale else entries
        kept = _without_thoughts(kept, thoughts, text) if hides and thoughts else kept
        given = metadata["logprobs"]
        changed["logprobs"] = {**given, "content": kept or None} if isinstance(given, dict) else kept
    return {**metadata, **changed} if changed else metadata


def _before_rationale(entries: list[Json], rationale: str) -> list[Json]:
    """The entries up to the heading; all of them where they do not spell the rationale."""
    pieces = [_bytes(entry) for entry in entries]
    joined = b"".join(pieces).decode("utf-8", "surrogateescape")
    if rationale not in joined:
        return entries
    before = joined[: joined.rindex(rationale)]
    answer, found = split_rationale(before + "-")  # the heading needs something after it
    if found is None:
        return entries
    end = len(answer.encode("utf-8", "surrogateescape"))
    return [entry for entry, (start, _) in zip(entries, _edges(pieces), strict=True) if start < end]


def _without_thoughts(entries: list[Json], thoughts: str, text: str) -> list[Json]:
    """The entries of everything but the thoughts; none where it cannot be told which they are."""
    pieces = [_bytes(entry) for entry in entries]
    joined, thought = b"".join(pieces), thoughts.strip().encode()
    answer = text.strip().encode()
    if joined.strip() == answer:
        return entries
    begin = joined.find(thought)
    if begin >= 0:
        hidden = (begin, begin + len(thought))
    elif answer and (end := joined.rfind(answer)) >= 0:
        hidden = (0, end)
    else:
        return []
    low, high = hidden
    edges = _edges(pieces)
    return [one for one, (start, end) in zip(entries, edges, strict=True) if end <= low or start >= high]


def _edges(pieces: Sequence[bytes]) -> list[tuple[int, int]]:
    return list(pairwise(accumulate(map(len, pieces), initial=0)))


def _content(logprobs: Any) -> list[Json]:
    listed = cast("Mapping[str, Any]", logprobs).get("content") if isinstance(logprobs, Mapping) else logprobs
    return [cast("Json", one) for one in cast("list[Any]", listed or []) if isinstance(one, dict)]


def _bytes(entry: Json) -> bytes:
    given = entry.get("bytes")
    return (
        bytes(cast("list[int]", given))
        if given
        else str(entry.get("token", "")).encode("utf-8", "surrogatepass")
    )
