"""Each token of an answer with its entropy: what a terminal or a page colours."""

from adaptive_reasoner.uncertainty.entropy import Bounds
from adaptive_reasoner.uncertainty.tokens import TokenLogprobs


def token_entropies(answer: TokenLogprobs, bounds: Bounds | None) -> list[list[str | float]] | None:
    """[text, lower bound of the entropy in nats] for each token; None where there are no bounds."""
    if bounds is None:
        return None
    lower: list[float] = bounds[0].tolist()
    return [[token.token, nats] for token, nats in zip(answer.tokens, lower, strict=True)]
