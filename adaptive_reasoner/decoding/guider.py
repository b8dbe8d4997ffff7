"""A small causal language model that follows another one's text, with a cache, one step a token."""

import inspect
from typing import Any

import torch
from torch import Tensor

from adaptive_reasoner.decoding.prefix import rows_continued


class Guider:
    """Gives a model's next-token logits for the rows that it is shown, and feeds it only what is new.

    Rows may be dropped, repeated or reordered between calls: the cache is indexed anew. Rows that continue nothing
    seen before start a new cache.

    Args:
        model: a transformers causal language model; it is put into evaluation mode.
        pad_token_id: target id whose leading run in a row is padding; None: rows are not padded.
        unknown_id: read in place of a token that the model's vocabulary lacks.
        context: (n,) the model's id for each of the first n target ids; None: the ids are its own.
    """

    def __init__(
        self, model: Any, pad_token_id: int | None, unknown_id: int, context: Tensor | None = None
    ) -> None:
        self._model = model.eval()
        self._pad_token_id, self._unknown_id, self._context = pad_token_id, unknown_id, context
        self._size = int(model.get_input_embeddings().weight.shape[0])
        self._accepts = set(inspect.signature(model.forward).parameters)
        self._cache: Any = None
        self._seen: Tensor | None = None

    def next_logits(self, ids: Tensor) -> Tensor:
        """(batch, vocabulary) logits of the token that follows (batch, length) target ids."""
        first = self._align(ids)
        mask = self._mask(ids)
        given: dict[str, Any] = {"attention_mask": mask, "past_key_values": self._cache, "use_cache": True}
        if "position_ids" in self._accepts:
            given["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)[:, first:]
        if "logits_to_keep" in self._accepts:
            given["logits_to_keep"] = 1
        device = self._model.device
        moved = {
            name: value.to(device) if isinstance(value, Tensor) else value for name, value in given.items()
        }
        with torch.no_grad():
            found = self._model(input_ids=self._read(ids[:, first:]).to(device), **moved)
        self._cache, self._seen = found.past_key_values, ids.clone()
        return found.logits[:, -1]

    def reset(self) -> None:
        """Lets go of the cache and its memory."""
        self._cache = self._seen = None

    def _align(self, ids: Tensor) -> int:
        """Makes the cache's rows those of `ids`; returns how many of their tokens it holds."""
        seen = self._seen
        if seen is None or seen.shape[1] >= ids.shape[1]:
            self.reset()
            return 0
        rows = rows_continued(seen, ids)
        if rows is None:
            self.reset()
            return 0
        if not torch.equal(rows, torch.arange(len(seen), device=rows.device)):
            self._cache.reorder_cache(rows.to(self._model.device))
        return seen.shape[1]

    def _mask(self, ids: Tensor) -> Tensor:
        """(batch, length) 0 on the leading padding; the last token always counts."""
        if self._pad_token_id is None:
            return torch.ones_like(ids)
        padding = (ids == self._pad_token_id).long().cumprod(-1)
        padding[:, -1] = 0
        return 1 - padding

    def _read(self, ids: Tensor) -> Tensor:
        """The model's own ids; what lies beyond its vocabulary, or beyond the map, is unknown to it."""
        if self._context is None:
            return torch.where(ids < self._size, ids, self._unknown_id)
        mapped = self._context.to(ids.device)[ids.clamp(max=len(self._context) - 1)]
        return torch.where(ids < len(self._context), mapped, self._unknown_id)
