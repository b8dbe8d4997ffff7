"""AIMessage -> Signal."""

from typing import Any, cast

from langchain_core.messages import AIMessage

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.logprobs import parse_response
from adaptive_reasoner.uncertainty.rationale import with_rationale
from adaptive_reasoner.uncertainty.score import score_tokens
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping


def score_message(message: AIMessage, answer_span: AnswerSpan = "auto") -> Signal:
    """How sure the model was of its answer, from the log probabilities in `response_metadata["logprobs"]`.

    Args:
        message: an answer, or a call of tools; ask the model for `logprobs=True, top_logprobs=20`.
        answer_span: the part to score; see `adaptive_reasoner.uncertainty.find_answer_span`.

    Returns:
        A signal whose `risk` is None (a gate profile adds it) and whose `kind` is "unknown", with the reason,
        where log probabilities are missing or do not belong to the text.
    """
    signal = with_thought(score_tokens(parse_response(message), answer_span), message)
    return with_rationale(signal, message, answer_span)


def with_thought(signal: Signal, message: AIMessage) -> Signal:
    """The signal with `thought_logprob`, where the message carries the log probabilities of its thought."""
    metadata = cast("dict[str, Any]", message.response_metadata)
    entries = as_list(as_mapping(metadata.get("reasoning_logprobs")).get("content"))
    logprobs = [as_mapping(entry).get("logprob") for entry in entries or ()]
    if signal["kind"] != "logprobs" or not logprobs or not all(isinstance(one, float) for one in logprobs):
        return signal
    return {**signal, "thought_logprob": min(sum(cast("list[float]", logprobs)), 0.0)}


def with_repeats(signal: Signal, refined: str, sent_back: str) -> Signal:
    """The signal of a refined answer, with whether it is still the answer that was sent back."""
    return {**signal, "repeats": refined.strip() == sent_back.strip()}
