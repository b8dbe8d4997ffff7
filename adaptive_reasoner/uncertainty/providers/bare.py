"""What is left of a response where only the log probabilities were kept: a choice, or its list of entries."""

from adaptive_reasoner.uncertainty.entries import read_entries
from adaptive_reasoner.uncertainty.providers.openai_chat import read_choice
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_mapping


def _is_choice(raw: Json) -> bool:
    return "logprobs" in raw or bool(as_mapping(raw.get("message")))


def _read_choice(raw: Json) -> Reply:
    answer = raw.get("content")
    return read_choice({"text": answer, **raw} if isinstance(answer, str) else raw)


def _is_list(raw: Json) -> bool:
    return "content" in raw or "token_logprobs" in raw


def _read_list(raw: Json) -> Reply:
    tokens, fault = read_entries(raw)
    return Reply(tokens, fault=fault)


CHOICE = Reader("One choice", _is_choice, _read_choice)
ENTRIES = Reader("Bare entries", _is_list, _read_list)
