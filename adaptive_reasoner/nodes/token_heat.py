"""Each token of an answer with its entropy: what a terminal or a page colours."""

from adaptive_reasoner.uncertainty.entropy import entropy_bounds, top_matrix
from adaptive_reasoner.uncertainty.tokens import TokenLogprobs


def token_entropies(answer: TokenLogprobs) -> list[list[str | float]] | None:
    """[text, lower bound of the entropy in nats] for each token; None where they cannot be trusted."""
    if not answer.trusted or not answer.tokens:
        return None
    lower, _, _ = entropy_bounds(top_matrix(answer.tokens))
    return [[token.token, float(nats)] for token, nats in zip(answer.tokens, lower, strict=True)]
