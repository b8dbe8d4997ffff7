"""Pure measures of how sure an answer is: provider metadata -> TokenLogprobs -> Signal."""

from adaptive_reasoner.uncertainty.logprobs import parse_response
from adaptive_reasoner.uncertainty.measures import BatchMeasures, Measures, measure, measure_batch
from adaptive_reasoner.uncertainty.part_measures import PartMeasures
from adaptive_reasoner.uncertainty.score import score_tokens
from adaptive_reasoner.uncertainty.spans import find_answer_span
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, TokenLogprobs

__all__ = [
    "BatchMeasures",
    "Measures",
    "PartMeasures",
    "TokenLogprob",
    "TokenLogprobs",
    "find_answer_span",
    "measure",
    "measure_batch",
    "parse_response",
    "score_tokens",
]
