import json

import numpy as np

from adaptive_reasoner.embedded.answer_text import VisibleToken, visible_bytes
from adaptive_reasoner.embedded.call_text import CallBuilder
from adaptive_reasoner.embedded.openai_logprobs import choice_logprobs
from adaptive_reasoner.embedded.sampling import TokenScores
from adaptive_reasoner.embedded.tokenizer import encoding, special


def token(identifier: int, probability: float, other: int) -> VisibleToken:
    logprobs = np.log([probability, 1 - probability]).astype(np.float32)
    scores = TokenScores(float(logprobs[0]), np.array([identifier, other]), logprobs)
    return VisibleToken(identifier, visible_bytes(identifier), scores)


def one(text: str) -> int:
    return encoding().encode_single_token(text)


def shown() -> tuple[str, list[dict]]:
    builder = CallBuilder("expression")
    tokens = [
        token(one(" 7"), 0.9, one(" 8")),
        token(one(" +"), 0.8, one(" -")),
        token(one(" 2"), 0.7, one(" 3")),
    ]
    pieces = [
        piece for each in [*tokens, token(special("<eos>"), 0.6, one(" +"))] for piece in builder.add(each)
    ]
    assert builder.stopped
    entries = choice_logprobs(each for piece in pieces for each in piece.tokens)["content"]
    return "".join(piece.text for piece in pieces), entries


def test_the_tokens_are_shown_as_json_arguments() -> None:
    text, _ = shown()
    assert json.loads(text) == {"expression": "7 + 2"}


def test_the_entries_spell_the_arguments_and_keep_the_models_probabilities() -> None:
    text, entries = shown()
    assert bytes(byte for entry in entries for byte in entry["bytes"]).decode() == text
    assert [round(float(np.exp(entry["logprob"])), 6) for entry in entries] == [1.0, 0.9, 0.8, 0.7, 0.6]


def test_alternatives_are_named_as_they_would_be_shown() -> None:
    _, (opening, first, second, _, closing) = shown()
    assert opening["top_logprobs"] == []
    assert [other["token"] for other in first["top_logprobs"]] == ["7", "8"]
    assert [other["token"] for other in second["top_logprobs"]] == [" +", " -"]
    assert [other["token"] for other in closing["top_logprobs"]] == ['"}', " +"]
