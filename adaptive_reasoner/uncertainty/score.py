"""TokenLogprobs -> Signal: how sure an answer is, measured on the part that matters."""

import math
from collections.abc import Sequence
from statistics import fmean

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.state import EntropyBounds, Signal, UncertainSpan
from adaptive_reasoner.uncertainty.alignment import character_offsets
from adaptive_reasoner.uncertainty.answer_tokens import answer_ranges, tokens_within
from adaptive_reasoner.uncertainty.doubts import uncertain_spans
from adaptive_reasoner.uncertainty.entropy import Bounds, perplexity, token_bounds
from adaptive_reasoner.uncertainty.logprobs import trust
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, TokenLogprobs


def score_tokens(
    tokens: TokenLogprobs | Sequence[TokenLogprob],
    answer_span: AnswerSpan = "auto",
    bounds: Bounds | None = None,
) -> Signal:
    """Measure an answer's uncertainty on its answer span.

    Args:
        tokens: what `parse_response` gave, or bare tokens whose text is the answer.
        answer_span: see `find_answer_span`; of a tool call, "auto" means the values of its arguments.
        bounds: `token_bounds` of all tokens, where they are known already.

    Returns:
        A signal of kind "logprobs": mean entropy bounds (nats), least probability, perplexity and least
        covered mass over the span's tokens, and the uncertain stretches; or "unknown" with the reason.
    """
    answer = tokens if isinstance(tokens, TokenLogprobs) else trust(tokens)
    if not answer.trusted:
        return unknown_signal(answer.reason or "the log probabilities cannot be trusted")
    offsets = character_offsets(answer.tokens)
    inside = tokens_within(offsets, answer_ranges(answer, answer_span))
    if not inside:
        return unknown_signal("no token with a log probability lies in the answer span")
    scored = [answer.tokens[index] for index in inside]
    if not math.isfinite(sum(token.logprob for token in scored)):
        return unknown_signal("a token of the answer span has no finite log probability")
    own = (
        token_bounds(scored) if bounds is None else (bounds[0][inside], bounds[1][inside], bounds[2][inside])
    )
    spans = uncertain_spans(answer.text, scored, [offsets[index] for index in inside], own[0].tolist())
    return _measure(scored, own, spans)


def unknown_signal(reason: str) -> Signal:
    """The signal of an answer whose confidence cannot be measured: unknown is never confident."""
    return Signal(
        kind="unknown",
        risk=None,
        entropy_nats=None,
        covered_mass=None,
        min_probability=None,
        perplexity=None,
        token_count=0,
        spans=[],
        reason=reason,
    )


def _measure(tokens: Sequence[TokenLogprob], bounds: Bounds, spans: list[UncertainSpan]) -> Signal:
    lower, upper, covered = (one.tolist() for one in bounds)
    logprobs = [token.logprob for token in tokens]
    return Signal(
        kind="logprobs",
        risk=None,
        entropy_nats=EntropyBounds(lower=fmean(lower), upper=fmean(upper)),
        covered_mass=min(covered),
        min_probability=math.exp(min(*logprobs, 0.0)),
        perplexity=perplexity(logprobs),
        token_count=len(tokens),
        spans=spans,
        reason=None,
    )
