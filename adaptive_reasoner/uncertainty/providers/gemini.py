"""Gemini, on Vertex and in AI Studio: `candidates[].logprobsResult`, in camel case (REST) or snake case (SDK).

`avgLogprobs` is not read: it does not equal the mean of the listed tokens.
"""

from itertools import zip_longest
from typing import Any

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.entries import Entries, guarded, to_number
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_count, as_list, as_mapping, either
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

_OWN_KEYS = ("usageMetadata", "usage_metadata", "promptFeedback", "prompt_feedback")


def _recognises(raw: Json) -> bool:
    return as_list(raw.get("candidates")) is not None or any(
        isinstance(raw.get(key), dict) for key in _OWN_KEYS
    )


def _read(raw: Json) -> Reply:
    candidates = [as_mapping(one) for one in as_list(raw.get("candidates")) or ()]
    first = next((one for one in candidates if one.get("index", 0) in (0, None)), None)
    reply = Reply() if first is None else _read_candidate(first)
    usage = as_mapping(either(raw, "usageMetadata", "usage_metadata"))
    reply.visible_tokens = as_count(either(usage, "candidatesTokenCount", "candidates_token_count"))
    return reply


def _read_candidate(candidate: Json) -> Reply:
    parts = [
        part
        for part in map(as_mapping, as_list(as_mapping(candidate.get("content")).get("parts")) or ())
        if part.get("thought") is not True
    ]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    calls = [call for part in parts if (call := either(part, "functionCall", "function_call")) is not None]
    tokens, fault = read_result(either(candidate, "logprobsResult", "logprobs_result"))
    return Reply(
        tokens,
        "".join(texts) if texts else None,
        {index: as_mapping(call).get("args") or {} for index, call in enumerate(calls)},
        None,
        fault,
    )


def read_result(result: Any) -> Entries:
    """Read a `logprobsResult`: the chosen tokens, and beside each the most probable ones at its place."""
    return guarded(_read_result, result)


def _read_result(result: Any) -> list[TokenLogprob]:
    fields = as_mapping(result)
    chosen = as_list(either(fields, "chosenCandidates", "chosen_candidates")) or ()
    tops = as_list(either(fields, "topCandidates", "top_candidates")) or ()
    if tops and len(tops) != len(chosen):
        raise LogprobsError("the lists `chosenCandidates` and `topCandidates` differ in length")
    return [
        TokenLogprob(
            *_pair(one), [_pair(other) for other in as_list(as_mapping(top).get("candidates")) or ()]
        )
        for one, top in zip_longest(chosen, tops)
    ]


def _pair(candidate: Any) -> tuple[str, float]:
    fields = as_mapping(candidate)
    token = fields.get("token")
    if not isinstance(token, str):
        raise LogprobsError("a list of candidates holds one without a token")
    return token, to_number(either(fields, "logProbability", "log_probability"))


READER = Reader("Gemini", _recognises, _read)
