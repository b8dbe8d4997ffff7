"""llama.cpp's own /completion: `completion_probabilities`, as log probabilities or, from older servers, `probs`."""

from typing import Any

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.entries import guarded, read_entries, to_log
from adaptive_reasoner.uncertainty.providers.reader import Json, Reader
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.shapes import as_count, as_list, as_mapping
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

_AFTER_SAMPLING = (
    "every probability is 1: the server gave those after sampling; ask again without `post_sampling_probs`"
)


def _recognises(raw: Json) -> bool:
    return "completion_probabilities" in raw or (
        isinstance(raw.get("content"), str) and isinstance(raw.get("stop"), bool)
    )


def _read(raw: Json) -> Reply:
    listed = as_list(raw.get("completion_probabilities")) or []
    is_legacy = any("probs" in as_mapping(entry) for entry in listed)
    tokens, fault = guarded(_legacy, listed) if is_legacy else read_entries(listed)
    are_logs = any("logprob" in as_mapping(entry) for entry in listed)
    if tokens and not are_logs and all(token.logprob == 0.0 for token in tokens):
        fault = _AFTER_SAMPLING
    text = raw.get("content")
    return Reply(
        tokens,
        text if isinstance(text, str) else None,
        visible_tokens=as_count(raw.get("tokens_predicted")),
        fault=fault,
    )


def _legacy(listed: list[Any]) -> list[TokenLogprob]:
    return [_legacy_token(as_mapping(entry)) for entry in listed]


def _legacy_token(entry: Json) -> TokenLogprob:
    """The sampled token is the one in the list that `content` spells; elsewhere its probability is unknown."""
    token = entry.get("content")
    alternatives = [as_mapping(other) for other in as_list(entry.get("probs")) or ()]
    if not isinstance(token, str) or not all(isinstance(one.get("tok_str"), str) for one in alternatives):
        raise LogprobsError("a list of probabilities holds an entry without a token")
    top = [(one["tok_str"], to_log(one.get("prob"))) for one in alternatives]
    return TokenLogprob(token, dict(reversed(top)).get(token, float("nan")), top)


READER = Reader("llama.cpp completion", _recognises, _read)
