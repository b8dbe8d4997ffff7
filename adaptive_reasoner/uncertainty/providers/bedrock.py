"""Amazon Bedrock's own formats: Converse, imported models, Cohere Command. OpenAI-style ones have `choices`.

Converse gives log probabilities only where `additionalModelResponseFieldPaths` asked for them. Imported models name
tokens by id in their own format (`generation`): without the tokens' text nothing can be matched with the answer.
"""

from collections.abc import Sequence
from typing import Any

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.entries import Entries, guarded, read_entries, to_number
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_count, as_list, as_mapping, first_mapping
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

_EVENTS = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
)


def _is_converse(raw: Json) -> bool:
    return isinstance(as_mapping(raw.get("output")).get("message"), dict) or (
        len(raw) == 1 and next(iter(raw)) in _EVENTS
    )


def _read_converse(raw: Json) -> Reply:
    if len(raw) == 1 and "output" not in raw:
        return _read_event(raw)
    blocks = [as_mapping(one) for one in as_list(raw["output"]["message"].get("content")) or ()]
    texts = [block["text"] for block in blocks if isinstance(block.get("text"), str)]
    calls = [as_mapping(block["toolUse"]).get("input") for block in blocks if "toolUse" in block]
    tokens, fault = read_model_fields(raw.get("additionalModelResponseFields"))
    return Reply(tokens, "".join(texts), dict(enumerate(calls)), _output_tokens(raw), fault)


def _read_event(event: Json) -> Reply:
    block = as_mapping(event.get("contentBlockDelta"))
    delta, index = as_mapping(block.get("delta")), as_count(block.get("contentBlockIndex")) or 0
    text, call = delta.get("text"), as_mapping(delta.get("toolUse")).get("input")
    fields = as_mapping(event.get("messageStop")).get("additionalModelResponseFields")
    tokens, fault = read_model_fields(fields)
    return Reply(
        tokens,
        text if isinstance(text, str) else None,
        {} if call is None else {index: call},
        _output_tokens(as_mapping(event.get("metadata"))),
        fault,
    )


def _output_tokens(raw: Json) -> int | None:
    return as_count(as_mapping(raw.get("usage")).get("outputTokens"))


def read_model_fields(fields: Any) -> Entries:
    """Read `additionalModelResponseFields`: what was asked for as /logprobs, or as /choices/0/logprobs."""
    first = first_mapping(as_mapping(fields).get("choices"))
    return read_entries(as_mapping(fields).get("logprobs", first.get("logprobs")))


def _is_generation(raw: Json) -> bool:
    return isinstance(raw.get("generation"), str)


def _read_generation(raw: Json) -> Reply:
    tokens, fault = guarded(_numbered, as_list(raw.get("logprobs")) or ())
    return Reply(
        tokens, raw["generation"], visible_tokens=as_count(raw.get("generation_token_count")), fault=fault
    )


def _numbered(places: Sequence[Any]) -> list[TokenLogprob]:
    """A mapping from token id to vLLM's entry, the sampled token first; readable where it tells the text."""
    tokens: list[TokenLogprob] = []
    for place in places:
        entries = [as_mapping(entry) for entry in as_mapping(place).values()]
        if not entries or not all(isinstance(entry.get("decoded_token"), str) for entry in entries):
            raise LogprobsError(
                "the log probabilities name tokens by id, without their text: ask in the OpenAI format (`messages`)"
            )
        top = [(entry["decoded_token"], to_number(entry.get("logprob"))) for entry in entries]
        tokens.append(TokenLogprob(*top[0], top))
    return tokens


def _is_cohere(raw: Json) -> bool:
    return as_list(raw.get("generations")) is not None


def _read_cohere(raw: Json) -> Reply:
    first = first_mapping(raw["generations"])
    text = first.get("text")
    tokens, fault = guarded(_likelihoods, as_list(first.get("token_likelihoods")) or ())
    return Reply(tokens, text if isinstance(text, str) else None, fault=fault)


def _likelihoods(listed: Sequence[Any]) -> list[TokenLogprob]:
    """Cohere's likelihoods are logarithms; the first token of a prompt that is listed too has none."""
    tokens: list[TokenLogprob] = []
    for entry in map(as_mapping, listed):
        token, value = entry.get("token"), entry.get("likelihood")
        if not isinstance(token, str) and len(entry) == 1:
            token, value = next(iter(entry.items()))
        if not isinstance(token, str):
            raise LogprobsError("a list of likelihoods holds an entry without a token")
        tokens.append(TokenLogprob(token, to_number(value)))
    return tokens


CONVERSE = Reader("Bedrock Converse", _is_converse, _read_converse)
IMPORTED = Reader("Bedrock imported models", _is_generation, _read_generation)
COHERE = Reader("Cohere Command", _is_cohere, _read_cohere)
