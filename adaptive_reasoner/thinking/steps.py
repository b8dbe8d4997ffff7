"""The steps of a visible thought, and how unsure the model was of each: what a person reads, and can mark."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from adaptive_reasoner.uncertainty.entropy import entropy_bounds

# A step ends with its line, its sentence or a semicolon; "3.5" and "e.g." inside a line are no ends of lines.
_END = re.compile(r"\n+|(?<=[;.!?])\s+(?=\S)")
UNCERTAIN_NATS = 0.5  # of a step's least certain token: others are about as probable as what was written
_MOST_STEPS = 200  # that are shown of one thought


class ThoughtStep(TypedDict):
    """One step of a thought, numbered from 1."""

    step: int
    text: str
    start: int  # character offset in the thought, inclusive
    end: int  # exclusive
    entropy_nats: float | None  # of its least certain token; None: the model tells nothing of its thoughts
    is_uncertain: bool


def thought_steps(thought: str, entries: Sequence[Mapping[str, Any]] = ()) -> list[ThoughtStep]:
    """Split a thought into its steps.

    Args:
        thought: as it is shown.
        entries: of its tokens, as OpenAI writes log probabilities; where they do not spell the thought they tell
            nothing of its steps.
    """
    doubts = _doubts(thought, entries)
    steps: list[ThoughtStep] = []
    for start, end in _spans(thought)[:_MOST_STEPS]:
        own = [doubt for place, doubt in doubts if start <= place < end]
        entropy = max(own, default=None)
        steps.append(
            {
                "step": len(steps) + 1,
                "text": thought[start:end],
                "start": start,
                "end": end,
                "entropy_nats": entropy,
                "is_uncertain": entropy is not None and entropy > UNCERTAIN_NATS,
            }
        )
    return steps


def _spans(thought: str) -> list[tuple[int, int]]:
    """Where the steps begin and end, without the white space around them."""
    ends = [*((found.start(), found.end()) for found in _END.finditer(thought)), (len(thought), len(thought))]
    spans: list[tuple[int, int]] = []
    start = 0
    for end, following in ends:
        text = thought[start:end]
        if text.strip():
            spans.append((start + len(text) - len(text.lstrip()), start + len(text.rstrip())))
        start = following
    return spans


def _doubts(thought: str, entries: Sequence[Mapping[str, Any]]) -> list[tuple[int, float]]:
    """For each token where it ends in the thought, less one, and its entropy in nats (a lower bound)."""
    tokens = [str(entry.get("token", "")) for entry in entries]
    begins = thought.find("".join(tokens).strip()) if tokens else -1
    if begins < 0 or not all(entry.get("top_logprobs") for entry in entries):
        return []
    place = begins - (len(tokens[0]) - len(tokens[0].lstrip()))
    longest = max(len(entry["top_logprobs"]) for entry in entries)
    lists = np.full((len(entries), longest), -np.inf)
    for row, entry in zip(lists, entries, strict=True):
        listed = [float(one["logprob"]) for one in entry["top_logprobs"]]
        row[: len(listed)] = listed
    ends = place + np.cumsum([len(token) for token in tokens])
    return list(zip((ends - 1).tolist(), entropy_bounds(lists)[0].tolist(), strict=True))
