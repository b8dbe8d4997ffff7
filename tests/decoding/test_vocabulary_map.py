"""Tokens are matched by their strings, never by the size of a vocabulary."""

import json
from pathlib import Path

import numpy as np
import pytest

from adaptive_reasoner.decoding import VocabularyMap, require_same_tokens
from adaptive_reasoner.errors import ConfigurationError

TARGET = {"a": 0, "b": 1, "▁think": 2, "c": 3}
GUIDER = {"c": 0, "Ġthink": 1, "a": 2}


class Tokenizer:
    """What the check asks of a transformers tokenizer."""

    def __init__(self, ordinary: dict[str, int], added: dict[str, int]) -> None:
        self.ordinary, self.added = ordinary, added

    def get_vocab(self) -> dict[str, int]:
        return {**self.ordinary, **self.added}

    def get_added_vocab(self) -> dict[str, int]:
        return self.added


def test_equal_strings_are_mapped_and_the_rest_left_out() -> None:
    shared = VocabularyMap.of_equal_tokens(TARGET, GUIDER)
    assert (shared.target_ids.tolist(), shared.guider_ids.tolist()) == ([0, 3], [2, 0])


def test_a_file_maps_tokens_that_are_spelt_differently(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"▁think": "Ġthink", "b": "nowhere", "nothing": "a"}), encoding="utf-8")
    shared = VocabularyMap.load(path, TARGET, GUIDER)
    assert (shared.target_ids.tolist(), shared.guider_ids.tolist()) == ([2], [1])


def test_the_guiders_read_their_own_ids_and_the_unknown_one_elsewhere() -> None:
    shared = VocabularyMap.of_equal_tokens(TARGET, GUIDER)
    assert shared.guider_context(unknown_id=7).tolist() == [2, 7, 7, 0]


@pytest.mark.parametrize("text", ["[1, 2]", "not json", '{"a": 1}'])
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="vocabulary map"):
        VocabularyMap.load(path, TARGET, GUIDER)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        VocabularyMap.load(tmp_path / "missing.json", TARGET, GUIDER)


@pytest.mark.parametrize(
    ("target_ids", "guider_ids", "why"),
    [
        ([0, 1], [0], "as many"),
        ([], [], "share no token"),
        ([0, -1], [0, 0], "negative"),
        ([1, 1], [0, 2], "twice"),
    ],
)
def test_a_map_that_names_no_place_is_refused(target_ids: list[int], guider_ids: list[int], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        VocabularyMap(np.array(target_ids, np.int64), np.array(guider_ids, np.int64))


def test_vocabularies_without_a_common_token_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="share no token"):
        VocabularyMap.of_equal_tokens({"a": 0}, {"b": 0})


def test_a_vocabulary_that_only_goes_further_is_the_same() -> None:
    require_same_tokens({"a": 0, "b": 1}, {"a": 0, "b": 1, "c": 2})


def test_another_tokenizer_of_equal_size_is_refused_by_its_first_difference() -> None:
    with pytest.raises(ConfigurationError, match="2 of 3 shared ids differ: id 1 is 'b' there and 'c' here"):
        require_same_tokens({"a": 0, "b": 1, "c": 2}, {"a": 0, "c": 1, "b": 2})


def test_a_tuned_guiders_chat_marks_may_bear_other_names() -> None:
    target = Tokenizer({"a": 0}, {"<|box_start|>": 1})
    require_same_tokens(target, Tokenizer({"a": 0}, {"<think>": 1}))
    with pytest.raises(ConfigurationError, match="base's tokenizer"):
        require_same_tokens(target, Tokenizer({"b": 0}, {"<think>": 1}), "base")
