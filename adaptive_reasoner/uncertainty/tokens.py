"""The log probabilities of one answer, once a provider's response is read, and the checks that trust them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

# Providers write -9999 (and relatives) where they have no value; e**-9000 is no probability of a real model.
SENTINEL_LOGPROB = -9000.0
# A probability just above 1 is rounding; anything beyond is not a log probability.
ROUNDING = 1e-3
MASS_ROUNDING = 1e-2
# 1 in 1,000: no vocabulary is smaller.
_LEAST_UNIFORM = -math.log(1000)

# In `response_metadata`: why a model's own log probabilities say nothing about this answer, in words.
UNTRUSTED = "logprobs_untrusted"

_logprob = itemgetter(1)
_ESCAPED_BYTES = re.compile(r"bytes:(?:\\x[0-9a-fA-F]{2})+")
_BYTE_TOKEN = re.compile(r"<0x([0-9a-fA-F]{2})>")


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One generated token.

    Attributes:
        token: as the provider spells it; a piece of a character may be unreadable here.
        logprob: natural logarithm of its probability.
        top: (token, logprob) of the most probable tokens at its place; may be empty or truncated.
        utf8: the bytes that it adds to the visible text; None where the provider does not say.
    """

    token: str
    logprob: float
    top: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    utf8: bytes | None = None


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """All tokens of an answer's visible text.

    Attributes:
        tokens: in order; where `trusted`, their bytes add up to `text`.
        text: the visible text, or the arguments of the tool calls.
        trusted: whether a gate may rely on them.
        reason: why not, in words; None where trusted.
        is_tool_call: `text` holds the JSON arguments of tool calls.
    """

    tokens: Sequence[TokenLogprob]
    text: str
    trusted: bool
    reason: str | None = None
    is_tool_call: bool = False


def token_bytes(token: TokenLogprob) -> bytes:
    """The bytes that a token adds to the text, from its spelling where the provider gave none."""
    if token.utf8 is not None:
        return token.utf8
    if not token.token.startswith(("bytes:", "<0x")):
        return token.token.encode("utf-8", "surrogatepass")
    if _ESCAPED_BYTES.fullmatch(token.token):
        return bytes.fromhex(token.token.removeprefix("bytes:").replace("\\x", ""))
    if match := _BYTE_TOKEN.fullmatch(token.token):
        return bytes.fromhex(match[1])
    return token.token.encode("utf-8", "surrogatepass")


def find_fault(tokens: Sequence[TokenLogprob]) -> str | None:
    """Why these numbers cannot be log probabilities of a real model, or None."""
    fault = next(filter(None, map(_token_fault, tokens)), None)
    if fault is None and tokens and all(map(_is_one_hot, tokens)):
        return "every probability is given as 0 or 1: the provider does not report its real ones"
    return fault


def find_flatness(tokens: Sequence[TokenLogprob]) -> str | None:
    """Whether a broken server gave every token the same probability, as small as 1 in a vocabulary; or None."""
    first = tokens[0].logprob if tokens else 0.0
    if len(tokens) > 1 and first < _LEAST_UNIFORM and all(token.logprob == first for token in tokens):
        return "every token is given as equally probable: the provider does not report its real probabilities"
    return None


def normalize(token: TokenLogprob) -> TokenLogprob:
    """The same token with its own entry in a top list that is sorted and free of placeholders."""
    chosen = min(token.logprob, 0.0)
    listed = [(text, min(logprob, 0.0)) for text, logprob in token.top if logprob > SENTINEL_LOGPROB]
    own = [entry for entry in listed if entry[0] == token.token]
    if (
        own
    ):  # pieces of characters may share a spelling: only the entry nearest to the chosen token is its own
        listed.remove(min(own, key=lambda entry: abs(entry[1] - chosen)))
    listed.append((token.token, chosen))
    listed.sort()  # equally probable ones by their text: the second sort keeps the order of the first
    listed.sort(key=_logprob, reverse=True)
    return TokenLogprob(token.token, chosen, listed, token.utf8)


def _token_fault(token: TokenLogprob) -> str | None:
    listed = [logprob for _, logprob in token.top]
    if math.isnan(sum(listed, token.logprob)):
        return f"the token {token.token!r} has no log probability"
    highest = max(listed, default=token.logprob)
    if max(highest, token.logprob) > ROUNDING:
        highest = max(highest, token.logprob)
        return f"{highest:g} at the token {token.token!r} is a logit or a probability, no log probability"
    if token.logprob <= SENTINEL_LOGPROB:
        return f"the token {token.token!r} has the placeholder {token.logprob:g} for its log probability"
    mass = sum(map(math.exp, listed))
    with_chosen = mass + math.exp(token.logprob)
    if with_chosen > 1 + MASS_ROUNDING:
        mass = max(mass, with_chosen - _listed_own(token))  # the own probability must fit beside the others
    if mass > 1 + MASS_ROUNDING:
        return f"the probabilities at the token {token.token!r} add up to {mass:.2f}"
    return None


def _listed_own(token: TokenLogprob) -> float:
    """The probability that the list gives the token itself, which may be another than its own; 0 if it is left out."""
    own = [logprob for text, logprob in token.top if text == token.token]
    return math.exp(min(own, key=lambda logprob: abs(logprob - token.logprob))) if own else 0.0


def _is_one_hot(token: TokenLogprob) -> bool:
    if token.logprob != 0.0:
        return False
    others = [logprob for text, logprob in token.top if text != token.token]
    return bool(others) and max(others) <= SENTINEL_LOGPROB
