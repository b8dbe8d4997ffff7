"""How far the fast answer had foreseen the one that thinking came to: a second opinion at no further call.

After a written thought the answer's own token is nearly sure, whether it is right or wrong. Whether the answer
before the thought was the same, and how sure that one was, says more.
"""

import math
from typing import cast

from langchain_core.messages import AIMessage

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.agreement import answer_key
from adaptive_reasoner.uncertainty.equivalence import same_answer


def with_support(
    signal: Signal,
    answer: AIMessage,
    earlier_signal: Signal,
    earlier: AIMessage,
    answer_span: AnswerSpan = "auto",
) -> Signal:
    """The signal of a deep answer with `support`: the probability that the fast answer's distribution gave it.

    Where both say the same, that is the probability of the fast answer's span; otherwise that of the listed
    alternative which says the same, or 0 where none does. Left out where either signal is not of kind "logprobs"
    or either message has no answer: unknown is not disagreement.

    Args:
        signal: of `answer`.
        answer: of the deep model.
        earlier_signal: of `earlier`.
        earlier: the fast model's answer to the same question.
        answer_span: the part of each that is compared; see `find_answer_span`.
    """
    if signal["kind"] != "logprobs" or earlier_signal["kind"] != "logprobs":
        return signal
    said, said_before = answer_key(answer, answer_span), answer_key(earlier, answer_span)
    if said is None or said_before is None:
        return signal
    return {**signal, "support": _support(said, said_before, earlier_signal)}


def _support(said: str, said_before: str, signal: Signal) -> float:
    logprob = -signal["token_count"] * math.log(cast("float", signal["perplexity"]))
    chance = min(math.exp(logprob), 1.0)
    if same_answer(said, said_before):
        return chance
    return min(_listed(said, said_before, signal), 1.0 - chance)


def _listed(said: str, said_before: str, signal: Signal) -> float:
    """Probability of an alternative to the whole earlier answer; parts of it are no answers."""
    for span in signal["spans"]:
        if span["text"] == said_before:
            return sum(float(chance) for text, chance in span["alternatives"][1:] if same_answer(said, text))
    return 0.0
