"""The stretches of an answer that the model was unsure of, with what it nearly wrote instead."""

import math
from collections.abc import Sequence
from typing import Any

from adaptive_reasoner.state import UncertainSpan
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

UNCERTAIN_NATS = 0.2  # a token whose entropy is surely above this is uncertain
MAX_ALTERNATIVES = 4  # the chosen text included
MIN_PROBABILITY = 0.01  # of an alternative

Range = tuple[int, int]


def uncertain_spans(
    text: str, tokens: Sequence[TokenLogprob], offsets: Sequence[Range], entropies: Sequence[float]
) -> list[UncertainSpan]:
    """One span for each uncertain token; tokens that share a character make one span.

    Args:
        text: the answer's text, which the offsets refer to.
        tokens: the tokens of the answer span, n of them.
        offsets: each token's [start, end) in characters.
        entropies: each token's entropy in nats (lower bounds).
    """
    spans: list[UncertainSpan] = []
    for group in _groups(offsets):
        # chain rule: pieces of one character add up to its entropy
        entropy = sum(entropies[index] for index in group)
        if max(entropies[index] for index in group) <= UNCERTAIN_NATS:
            continue
        start, end = offsets[group[0]][0], offsets[group[-1]][1]
        shown = text[start:end].strip()
        if not shown:
            continue
        start += len(text[start:end]) - len(text[start:end].lstrip())
        alternatives = _alternatives(shown, [tokens[index] for index in group])
        spans.append(
            UncertainSpan(
                text=shown,
                start=start,
                end=start + len(shown),
                entropy_nats=float(entropy),
                alternatives=alternatives,
            )
        )
    return spans


def _groups(offsets: Sequence[Range]) -> list[list[int]]:
    groups: list[list[int]] = []
    for index, (start, _) in enumerate(offsets):
        if groups and start < offsets[groups[-1][-1]][1]:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _alternatives(shown: str, group: Sequence[TokenLogprob]) -> list[list[Any]]:
    """[text, probability]: the chosen text first, the others by probability, without unreadable pieces."""
    chosen = math.exp(min(sum(token.logprob for token in group), 0.0))
    others: dict[str, float] = {}
    for spelled, logprob in group[0].top:
        readable = spelled.strip()
        if (
            not readable
            or "\ufffd" in spelled
            or spelled.startswith("bytes:\\x")
            or spelled == group[0].token
        ):
            continue
        others[readable] = others.get(readable, 0.0) + math.exp(min(logprob, 0.0))
    chosen += others.pop(shown, 0.0)  # the same text with other white space is the same answer
    ranked = sorted(others.items(), key=lambda entry: (-entry[1], entry[0]))
    kept: list[list[Any]] = [[text, float(p)] for text, p in ranked if p >= MIN_PROBABILITY]
    return [[shown, float(min(chosen, 1.0))], *kept[: MAX_ALTERNATIVES - 1]]
