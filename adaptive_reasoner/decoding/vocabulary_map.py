"""Which guider id stands for which target id: token strings are compared, never only vocabulary sizes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.errors import ConfigurationError

Ids = NDArray[np.int64]
Vocabulary = Mapping[str, int]
"""Token string -> id, as a tokenizer's `get_vocab()` gives it."""


@dataclass(frozen=True, slots=True, eq=False)
class VocabularyMap:
    """Pairs of ids that stand for one token in both vocabularies; every other target id is left untouched.

    Attributes:
        target_ids: (n,) ids of the target, each once.
        guider_ids: (n,) ids of the guiders; one may serve several target ids.
    """

    target_ids: Ids
    guider_ids: Ids

    def __post_init__(self) -> None:
        if self.target_ids.ndim != 1 or self.target_ids.shape != self.guider_ids.shape:
            raise ConfigurationError(
                "A vocabulary map needs as many guider ids as target ids, in one row each."
            )
        if self.target_ids.size == 0:
            raise ConfigurationError(
                "The two vocabularies share no token: the guider cannot steer this target."
            )
        if min(self.target_ids.min(), self.guider_ids.min()) < 0:
            raise ConfigurationError("A vocabulary map holds a negative id; leave unmapped tokens out of it.")
        if len(np.unique(self.target_ids)) < len(self.target_ids):
            raise ConfigurationError("A vocabulary map holds a target id twice; keep one guider id for it.")

    @classmethod
    def of_equal_tokens(cls, target: Vocabulary, guider: Vocabulary) -> Self:
        """Maps every token string that both vocabularies hold to itself."""
        return cls.of_tokens({token: token for token in target if token in guider}, target, guider)

    @classmethod
    def of_tokens(cls, pairs: Mapping[str, str], target: Vocabulary, guider: Vocabulary) -> Self:
        """Maps target token strings to guider token strings.

        Args:
            pairs: target token -> guider token, as TokAlign writes it; pairs that name a token which its
                vocabulary lacks are left out.
            target: token -> id of the target.
            guider: token -> id of both guiders.

        Raises:
            ConfigurationError: no pair is left.
        """
        known = [(target[a], guider[b]) for a, b in pairs.items() if a in target and b in guider]
        ids = np.array(sorted(known), dtype=np.int64).reshape(-1, 2)
        return cls(ids[:, 0], ids[:, 1])

    @classmethod
    def load(cls, path: str | Path, target: Vocabulary, guider: Vocabulary) -> Self:
        """Reads a JSON object {target token: guider token}.

        Raises:
            ConfigurationError: the file cannot be read, is no such object, or fits neither vocabulary.
        """
        try:
            pairs: object = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"The vocabulary map {path} cannot be read: {error}.") from error
        if not isinstance(pairs, dict) or not all(
            isinstance(b, str) for b in cast("dict[str, object]", pairs).values()
        ):
            raise ConfigurationError(
                f"The vocabulary map {path} must be a JSON object of target token to guider token."
            )
        return cls.of_tokens(cast("dict[str, str]", pairs), target, guider)

    def check_fits(self, target_size: int, guider_size: int) -> None:
        """Refuses a map made for larger vocabularies.

        Raises:
            ConfigurationError: an id lies outside its vocabulary.
        """
        for name, ids, size in (
            ("target", self.target_ids, target_size),
            ("guiders", self.guider_ids, guider_size),
        ):
            if ids.max() >= size:
                raise ConfigurationError(
                    f"The vocabulary map names id {ids.max()} of the {name}, whose logits have {size} ids; "
                    "make the map from these models' own tokenizers."
                )

    def guider_context(self, unknown_id: int) -> Ids:
        """(largest mapped target id + 1,) the guider id that replaces each target id in the guiders' context.

        Args:
            unknown_id: guider id for a token that has no counterpart, usually its unknown or padding token.
        """
        row = np.full(int(self.target_ids.max()) + 1, unknown_id, dtype=np.int64)
        row[self.target_ids] = self.guider_ids
        return row


def require_same_tokens(target: Any, guider: Any, name: str = "guider") -> None:
    """Refuses a tokenizer whose ids mean other tokens than the target's, however equal their sizes.

    Ids that only one of them has do not matter. Added tokens may bear another name under the same id, as the chat
    marks of a tuned guider do: they never stand for text.

    Args:
        target: a tokenizer, or its token -> id mapping.
        guider: likewise.
        name: of the guider, for the message.

    Raises:
        ConfigurationError: an ordinary token differs; the message shows the first one.
    """
    ours, theirs = _tokens_by_id(target), _tokens_by_id(guider)
    added = _added_ids(target) | _added_ids(guider)
    shared = (ours.keys() & theirs.keys()) - added
    different = sorted(index for index in shared if ours[index] != theirs[index])
    if different or not shared:
        shown = (
            f": id {different[0]} is {ours[different[0]]!r} there and {theirs[different[0]]!r} here"
            if different
            else ""
        )
        raise ConfigurationError(
            f"The {name}'s tokenizer is not the target's: {len(different)} of {len(shared)} shared ids differ{shown}. "
            "Take a guider of the same family, or give a VocabularyMap."
        )


def _tokens_by_id(tokenizer: Any) -> dict[int, str]:
    vocabulary = cast("Vocabulary", tokenizer if isinstance(tokenizer, Mapping) else tokenizer.get_vocab())
    return {index: token for token, index in vocabulary.items()}


def _added_ids(tokenizer: Any) -> set[int]:
    given = getattr(tokenizer, "get_added_vocab", None)
    return set() if given is None else set(given().values())
