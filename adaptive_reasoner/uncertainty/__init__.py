"""Pure measures of how sure an answer is: provider metadata -> TokenLogprobs -> Signal."""

from adaptive_reasoner.uncertainty.logprobs import parse_response
from adaptive_reasoner.uncertainty.score import score_tokens
from adaptive_reasoner.uncertainty.spans import find_answer_span
from adaptive_reasoner.uncertainty.tokens import TokenLogprob, TokenLogprobs

__all__ = ["TokenLogprob", "TokenLogprobs", "find_answer_span", "parse_response", "score_tokens"]
