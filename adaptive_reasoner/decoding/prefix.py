"""Recognises rows by what they say: generation drops and reorders them without telling a logits processor."""

import torch
from torch import Tensor


def rows_continued(known: Tensor, ids: Tensor) -> Tensor | None:
    """For each row of `ids`, a row of `known` that it continues; None when one of them continues none.

    Args:
        known: (r, n) token ids.
        ids: (batch, m) token ids, m >= n.

    Returns:
        (batch,) indices into `known`. Equal rows of `known` are interchangeable.
    """
    start = ids[:, : known.shape[1]]
    if start.shape == known.shape and torch.equal(start, known):
        return torch.arange(len(ids), device=ids.device)
    if start.shape[1] != known.shape[1] or start.device != known.device:
        return None
    same = (start[:, None] == known[None]).all(-1)  # (batch, r)
    return same.int().argmax(-1) if bool(same.any(-1).all()) else None


class AnswerLength:
    """Counts the tokens of the answers: whatever the first call of a generation shows is its prompt."""

    def __init__(self) -> None:
        self._known: Tensor | None = None
        self._prompt_length = 0

    def follow(self, ids: Tensor) -> int:
        """Tokens of each answer in (batch, length) `ids`.

        Rows that add one token to what was seen before, or to an earlier state of it (a draft that was
        rejected), belong to the same generation; anything else is a new prompt.
        """
        before = ids.shape[1] - 1
        known = None if self._known is None else self._known[:, :before]
        goes_on = (
            known is not None
            and self._prompt_length <= before == known.shape[1]
            and rows_continued(known, ids) is not None
        )
        if not goes_on:
            self._prompt_length = ids.shape[1]
        self._known = ids.clone()
        return ids.shape[1] - self._prompt_length

    def reset(self) -> None:
        """Takes the next call for a new prompt, whatever it says."""
        self._known = None
