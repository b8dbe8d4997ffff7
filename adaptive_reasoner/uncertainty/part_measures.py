"""The measures of a part of an answer, from those of its tokens."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from adaptive_reasoner.uncertainty.entropy import Floats
from adaptive_reasoner.uncertainty.group_confidence import group_confidences
from adaptive_reasoner.uncertainty.segments import Segments
from adaptive_reasoner.uncertainty.token_measures import TokenMeasures

Value = TypeVar("Value", float, Floats)

_MOST_SURPRISE = 700.0  # beyond e**709 a float overflows


@dataclass(frozen=True, slots=True)
class PartMeasures(Generic[Value]):
    """Measures of one part of an answer: numbers, or arrays of shape (answers,).

    Means and quantiles do not grow with length. `token_count` is the length, and what looks for an extreme
    (`min_probability`, `margin_min`, `entropy_max`, `covered_mass`, `confidence_lowest`) does find worse in longer
    parts: compare these among answers of like length, as answer spans are.

    Attributes:
        token_count: tokens in the part.
        entropy_lower: mean over tokens of the entropy's lower bound; nats a token.
        entropy_upper: the same of its upper bound.
        entropy_max: greatest lower bound.
        covered_mass: the least that a token's top list covers.
        varentropy: mean variance of the surprise; nats squared.
        perplexity: exponential of the mean surprise of the chosen tokens; 1 is certain.
        min_probability: of the least probable chosen token.
        margin_mean: mean of p(most probable) - p(next).
        margin_min: least of these.
        logprob_q10: 10 % quantile over tokens of the chosen ones' log probability; then 25 and 50 %.
        logprob_q25: see there.
        logprob_q50: see there.
        entropy_q50: median over tokens of the entropy's lower bound; then its 75 and 90 % quantiles.
        entropy_q75: see there.
        entropy_q90: see there.
        confidence_lowest: DeepConf's lowest group confidence; high is sure. NaN where lists hold one token.
        confidence_bottom: mean of the 10 % lowest groups.
        confidence_tail: of the last group.
        confidence_window: tokens in a group: the whole part where it is shorter than asked for.
    """

    token_count: Value
    entropy_lower: Value
    entropy_upper: Value
    entropy_max: Value
    covered_mass: Value
    varentropy: Value
    perplexity: Value
    min_probability: Value
    margin_mean: Value
    margin_min: Value
    logprob_q10: Value
    logprob_q25: Value
    logprob_q50: Value
    entropy_q50: Value
    entropy_q75: Value
    entropy_q90: Value
    confidence_lowest: Value
    confidence_bottom: Value
    confidence_tail: Value
    confidence_window: Value


def measure_parts(tokens: TokenMeasures, parts: Segments, window: int) -> PartMeasures[Floats]:
    """Reduce n tokens to a parts.

    Args:
        tokens: arrays of shape (n,).
        parts: how they fall into parts.
        window: tokens in a group of DeepConf's.
    """
    logprobs, entropies = parts.ascending(tokens.logprob), parts.ascending(tokens.entropy_lower)
    groups = group_confidences(tokens.confidence, parts, window)
    return PartMeasures(
        token_count=parts.counts.astype(np.float64),
        entropy_lower=parts.mean(tokens.entropy_lower),
        entropy_upper=parts.mean(tokens.entropy_upper),
        entropy_max=parts.greatest(tokens.entropy_lower),
        covered_mass=parts.least(tokens.covered),
        varentropy=parts.mean(tokens.varentropy),
        perplexity=np.exp(np.minimum(-parts.mean(tokens.logprob), _MOST_SURPRISE)),
        min_probability=np.exp(np.minimum(parts.least(tokens.logprob), 0.0)),
        margin_mean=parts.mean(tokens.margin),
        margin_min=parts.least(tokens.margin),
        logprob_q10=parts.quantile(logprobs, 0.10),
        logprob_q25=parts.quantile(logprobs, 0.25),
        logprob_q50=parts.quantile(logprobs, 0.50),
        entropy_q50=parts.quantile(entropies, 0.50),
        entropy_q75=parts.quantile(entropies, 0.75),
        entropy_q90=parts.quantile(entropies, 0.90),
        confidence_lowest=groups.lowest,
        confidence_bottom=groups.bottom,
        confidence_tail=groups.tail,
        confidence_window=groups.window.astype(np.float64),
    )
