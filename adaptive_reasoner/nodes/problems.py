"""What can be wrong with a model call, as one of this package's errors: each outcome has its own code.

Providers share no base classes and no spellings; what several of them use stands here.
"""

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage

from adaptive_reasoner.errors import (
    AdaptiveReasonerError,
    ContextWindowExceededError,
    EmptyAnswerError,
    ModelError,
    ModelRateLimitError,
    ModelTimeoutError,
    RefusalError,
)

# Lower case: OpenAI and Azure; Anthropic; Gemini.
_DECLINED = frozenset({"content_filter", "refusal", "safety", "prohibited_content"})
_CUT_OFF = frozenset({"length", "max_tokens"})
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_TOO_MANY_REQUESTS = 429


def find_problem(message: AIMessage, kwargs: Mapping[str, Any]) -> AdaptiveReasonerError | None:
    """Why `message` is no usable answer, None if it is one.

    Args:
        message: what the model returned.
        kwargs: the call-time arguments, which tell whether it was offered tools.
    """
    refusal = message.additional_kwargs.get("refusal")
    if refusal or _finish_reason(message) in _DECLINED:
        return RefusalError(f"The model declined to answer: {refusal or 'its provider filtered the answer'}.")
    if message.invalid_tool_calls:
        names = ", ".join(str(call.get("name")) for call in message.invalid_tool_calls)
        return ModelError(f"The model called {names} with arguments that are no JSON object.")
    if message.tool_calls and not kwargs.get("tools"):
        return ModelError(
            f"The model called {message.tool_calls[0]['name']!r}, though it was offered no tools."
        )
    if not str(message.text).strip() and not message.tool_calls:
        return EmptyAnswerError(
            "The model returned neither text nor a tool call; it may have spent its output tokens on thinking."
        )
    return None


def was_cut_off(message: AIMessage) -> bool:
    """True if the answer stopped at a limit of output tokens, not at its end."""
    return _finish_reason(message) in _CUT_OFF


def as_our_error(error: Exception) -> AdaptiveReasonerError:
    """Whatever a model raised, as an error with a code."""
    if isinstance(error, AdaptiveReasonerError):
        return error
    said, code = f"{type(error).__name__}: {error}", str(getattr(error, "code", None))
    if isinstance(error, ContextOverflowError) or code in _TOO_LONG:
        return ContextWindowExceededError(f"The conversation is longer than the model can read: {said}")
    if code in _DECLINED or "Refusal" in type(error).__name__:
        return RefusalError(f"The model declined to answer: {said}")
    # Every SDK has a timeout class of its own and none shares a base class with the others.
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return ModelTimeoutError(f"The model call timed out: {said}")
    if _TOO_MANY_REQUESTS in (getattr(error, "status_code", None), getattr(error, "code", None)):
        return ModelRateLimitError(f"The model's provider takes no more calls for now: {said}")
    return ModelError(f"The model call failed: {said}")


def _finish_reason(message: AIMessage) -> str:
    metadata = cast("dict[str, Any]", message.response_metadata)
    return str(metadata.get("finish_reason") or metadata.get("stop_reason") or "").lower()
