"""All measures of an answer's certainty: one body for one answer and for thousands. Vectorised; nats."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.errors import ConfigurationError, LogprobsUnavailableError
from adaptive_reasoner.uncertainty.alignment import character_offsets
from adaptive_reasoner.uncertainty.answer_tokens import answer_ranges, tokens_within
from adaptive_reasoner.uncertainty.entropy import Floats
from adaptive_reasoner.uncertainty.group_confidence import DEFAULT_WINDOW
from adaptive_reasoner.uncertainty.logprobs import trust
from adaptive_reasoner.uncertainty.part_measures import PartMeasures, measure_parts
from adaptive_reasoner.uncertainty.segments import Segments
from adaptive_reasoner.uncertainty.token_measures import token_measures
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, TokenLogprobs


@dataclass(frozen=True, slots=True)
class Measures:
    """One answer.

    Attributes:
        answer: the answer span.
        first: its first token.
        whole: the whole text.
    """

    answer: PartMeasures[float]
    first: PartMeasures[float]
    whole: PartMeasures[float]


@dataclass(frozen=True, slots=True)
class BatchMeasures:
    """Many answers; arrays of shape (answers,), NaN where nothing is known.

    Attributes:
        answer: the answer spans.
        first: their first tokens.
        whole: the whole texts.
        known: whether an answer's log probabilities can be trusted and reach its answer span.
    """

    answer: PartMeasures[Floats]
    first: PartMeasures[Floats]
    whole: PartMeasures[Floats]
    known: NDArray[np.bool_]


def measure(
    tokens: TokenLogprobs | Sequence[TokenLogprob],
    answer_span: AnswerSpan = "auto",
    *,
    window: int = DEFAULT_WINDOW,
) -> Measures:
    """Everything that the log probabilities say about one answer.

    Args:
        tokens: what `parse_response` gave, or bare tokens whose text is the answer.
        answer_span: see `find_answer_span`; of a tool call, "auto" means the values of its arguments.
        window: tokens in a group of DeepConf's, at least 1. The paper has 2,048.

    Raises:
        LogprobsUnavailableError: the log probabilities are missing or cannot be trusted; the message says why.
        ConfigurationError: `window` or `answer_span` is unusable.
    """
    answer = tokens if isinstance(tokens, TokenLogprobs) else trust(tokens)
    batch = measure_batch([answer], answer_span, window=window)
    if not batch.known[0]:
        reason = answer.reason or "no finite log probability lies in the answer span"
        raise LogprobsUnavailableError(f"Nothing to measure: {reason}.")
    return Measures(_row(batch.answer), _row(batch.first), _row(batch.whole))


def measure_batch(
    answers: Sequence[TokenLogprobs], answer_span: AnswerSpan = "auto", *, window: int = DEFAULT_WINDOW
) -> BatchMeasures:
    """`measure` of many answers at once; one without trusted log probabilities is NaN and not `known`.

    Raises:
        ConfigurationError: `window` or `answer_span` is unusable.
    """
    if window < 1:
        raise ConfigurationError(f"A window holds at least 1 token, not {window}.")
    spans = [_span(answer, answer_span) for answer in answers]
    known = np.array([bool(span) for span in spans], dtype=np.bool_)
    kept = [(answer, span) for answer, span in zip(answers, spans, strict=True) if span]
    tokens = token_measures([token for answer, _ in kept for token in answer.tokens])
    whole = _segments([len(answer.tokens) for answer, _ in kept])
    inside = _segments([len(span) for _, span in kept])
    places = _flat([span for _, span in kept]) + np.repeat(whole.starts, inside.counts)
    first = _segments([1] * len(kept))
    return BatchMeasures(
        answer=_spread(measure_parts(tokens.take(places), inside, window), known),
        first=_spread(measure_parts(tokens.take(places[inside.starts]), first, window), known),
        whole=_spread(measure_parts(tokens, whole, window), known),
        known=known,
    )


def _span(answer: TokenLogprobs, answer_span: AnswerSpan) -> list[int]:
    """The places of the answer span's tokens; none where nothing can be measured."""
    if not answer.trusted or not np.isfinite([token.logprob for token in answer.tokens]).all():
        return []
    return tokens_within(character_offsets(answer.tokens), answer_ranges(answer, answer_span))


def _flat(spans: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.fromiter(chain.from_iterable(spans), dtype=np.int64, count=sum(map(len, spans)))


def _segments(counts: Sequence[int]) -> Segments:
    return Segments.of(np.array(counts, dtype=np.int64))


def _spread(parts: PartMeasures[Floats], known: NDArray[np.bool_]) -> PartMeasures[Floats]:
    """The measures of the known answers, with NaN in the others' places."""

    def spread(values: Floats) -> Floats:
        everywhere = np.full(len(known), np.nan)
        everywhere[known] = values
        return everywhere

    return PartMeasures(*(spread(getattr(parts, field.name)) for field in fields(parts)))


def _row(batch: PartMeasures[Floats]) -> PartMeasures[float]:
    return PartMeasures(*(float(getattr(batch, field.name)[0]) for field in fields(batch)))
