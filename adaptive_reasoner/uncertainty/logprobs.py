"""The only parser: a provider's response, its stream, or a LangChain message -> TokenLogprobs.

What arrives but cannot be trusted comes back with `trusted=False` and the reason; only something that is no
response at all raises. Formats are read under `providers/`; everything after is shared and stands here.
"""

from collections.abc import Sequence

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty.alignment import align_arguments, align_text, joined_text
from adaptive_reasoner.uncertainty.bulk_checks import check_numbers
from adaptive_reasoner.uncertainty.reading import read
from adaptive_reasoner.uncertainty.reply import Reply
from adaptive_reasoner.uncertainty.thoughts import visible_text
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, TokenLogprobs, find_fault, find_flatness

NO_LOGPROBS = "no log probabilities arrived with the answer"

Aligned = tuple[Sequence[TokenLogprob], str]


def parse_response(raw: object) -> TokenLogprobs:
    """Read the log probabilities of the first answer in a response.

    Args:
        raw: a provider's JSON (parsed, or as text), a list of stream chunks (JSON or messages), the text of a
            server-sent event stream or of one JSON a line, a list of token entries, or an AIMessage.

    Returns:
        The tokens of the visible text, or of the tool calls' arguments, trusted or with the reason why not.

    Raises:
        LogprobsError: `raw` is no response.
    """
    try:
        return settle(read(raw))
    except RecursionError as error:
        raise LogprobsError("The response is nested too deeply to be a model's answer.") from error


def trust(tokens: Sequence[TokenLogprob]) -> TokenLogprobs:
    """Check and normalise bare tokens; their text is taken to be the answer."""
    return settle(Reply(tokens=list(tokens)))


def settle(reply: Reply) -> TokenLogprobs:
    """Match a reply's tokens with what it shows, then check their numbers."""
    if reply.fault or not reply.tokens:
        return _refused(reply, reply.fault or NO_LOGPROBS)
    aligned = (
        align_arguments(reply.tokens, list(reply.arguments.values())) if reply.arguments else _align(reply)
    )
    if isinstance(aligned, str) or aligned is None or not aligned[0]:
        reason = aligned if isinstance(aligned, str) else _mismatch(reply)
        return _refused(reply, find_fault(reply.tokens) or find_flatness(reply.tokens) or reason)
    tokens, text = aligned
    kept, fault = check_numbers(tokens)
    fault = fault or find_flatness(tokens)
    return TokenLogprobs(kept, text, trusted=fault is None, reason=fault, is_tool_call=bool(reply.arguments))


def _refused(reply: Reply, reason: str) -> TokenLogprobs:
    return TokenLogprobs(reply.tokens, reply.text or "", trusted=False, reason=reason)


def _align(reply: Reply) -> Aligned | str | None:
    """The visible tokens and their text, None where they do not add up, or why there is no answer."""
    text = joined_text(reply.tokens) if reply.text is None else reply.text
    shown = visible_text(text)
    if shown is None:
        return "the answer ends inside its thoughts"
    if not shown.strip():
        return "the answer has no text"
    # An end mark is counted but not listed.
    if reply.text is None and len(reply.tokens) < (reply.visible_tokens or 0) - 1:
        return None
    return align_text(reply.tokens, shown)


def _mismatch(reply: Reply) -> str:
    shown = "the tool call's arguments" if reply.arguments else "the answer's text"
    said = f" (the provider counted {reply.visible_tokens})" if reply.visible_tokens else ""
    return f"the log probabilities of {len(reply.tokens)} token(s){said} do not add up to {shown}"
