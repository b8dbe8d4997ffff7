"""Each token of an answer with its entropy: what a terminal or a page colours."""

from langchain_core.messages import AIMessage

from adaptive_reasoner.uncertainty.entropy import entropy_bounds, top_matrix
from adaptive_reasoner.uncertainty.logprobs import parse_response


def token_entropies(message: AIMessage) -> list[list[str | float]] | None:
    """[text, lower bound of the entropy in nats] for each token; None where they cannot be trusted."""
    answer = parse_response(message)
    if not answer.trusted or not answer.tokens:
        return None
    lower, _, _ = entropy_bounds(top_matrix(answer.tokens))
    return [[token.token, float(nats)] for token, nats in zip(answer.tokens, lower, strict=True)]
