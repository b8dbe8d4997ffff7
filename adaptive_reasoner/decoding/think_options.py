"""What guided generation needs to know beside its two guiders."""

from dataclasses import dataclass
from typing import Any

from adaptive_reasoner.decoding.combination import PLAIN, Combination
from adaptive_reasoner.decoding.vocabulary_map import require_same_tokens
from adaptive_reasoner.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ThinkOptions:
    """Settings of `ThinkLogitsProcessor`; ids are the target's unless said otherwise.

    Attributes:
        how: plausibility mask, normalisation, and the map where the guiders have another vocabulary.
        pad_token_id: a leading run of it in a row is padding. None: the expert's own padding token, or its end
            token where it has none, unless texts begin with that; with a map: rows are not padded.
        eos_token_id: what the guard forces. None: the expert's own; with a map: nothing, and the guard rests.
        repeat_limit: the answer ends once it said one token so many times in a row; None: never.
        unknown_id: guider id read in place of a token that the guiders lack. None: their padding token, or 0.
        tokenizers: (target, expert, base), compared token by token when the processor is built; each a tokenizer
            or its token -> id mapping. None: nobody checks that equal ids are equal tokens.
    """

    how: Combination = PLAIN
    pad_token_id: int | None = None
    eos_token_id: int | None = None
    repeat_limit: int | None = 10
    unknown_id: int | None = None
    tokenizers: tuple[Any, Any, Any] | None = None

    def __post_init__(self) -> None:
        if self.repeat_limit is not None and self.repeat_limit < 1:
            raise ConfigurationError(
                f"repeat_limit must be 1 or more, or None for no guard, not {self.repeat_limit}."
            )
        if self.tokenizers is not None:
            self._check_tokenizers(*self.tokenizers)

    def padding(self, expert: Any) -> int | None:
        """The padding id that leads the target's rows."""
        if self.pad_token_id is not None or self.how.vocabulary is not None:
            return self.pad_token_id
        own, end = _special(expert, "pad_token_id"), _special(expert, "eos_token_id")
        return own if own is not None or end == _special(expert, "bos_token_id") else end

    def end(self, expert: Any) -> int | None:
        """The end token that the guard forces."""
        if self.eos_token_id is not None or self.how.vocabulary is not None:
            return self.eos_token_id
        return _special(expert, "eos_token_id")

    def unknown(self, expert: Any) -> int:
        """The guiders' id for a token that they lack."""
        own = _special(expert, "pad_token_id") if self.unknown_id is None else self.unknown_id
        return 0 if own is None or own < 0 else own

    def _check_tokenizers(self, target: Any, expert: Any, base: Any) -> None:
        if self.how.vocabulary is None:
            require_same_tokens(target, expert, "expert")
            require_same_tokens(target, base, "base")
        else:
            require_same_tokens(expert, base, "base")


def _special(model: Any, name: str) -> int | None:
    """The first id that the model's settings give under `name`."""
    for settings in (getattr(model, "generation_config", None), model.config):
        found = getattr(settings, name, None)
        if isinstance(found, (list, tuple)):
            found = next(iter(found), None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if isinstance(found, int):
            return found
    return None
