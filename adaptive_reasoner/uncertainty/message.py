"""AIMessage -> Signal."""

from langchain_core.messages import AIMessage

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.logprobs import parse_response
from adaptive_reasoner.uncertainty.score import score_tokens


def score_message(message: AIMessage, answer_span: AnswerSpan = "auto") -> Signal:
    """How sure the model was of its answer, from the log probabilities in `response_metadata["logprobs"]`.

    Args:
        message: an answer, or a call of tools; ask the model for `logprobs=True, top_logprobs=20`.
        answer_span: the part to score; see `adaptive_reasoner.uncertainty.find_answer_span`.

    Returns:
        A signal whose `risk` is None (a gate profile adds it) and whose `kind` is "unknown", with the reason,
        where log probabilities are missing or do not belong to the text.
    """
    return score_tokens(parse_response(message), answer_span)
