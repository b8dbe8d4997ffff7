"""P(true): a model that gives log probabilities says whether an answer is right, in one token.

The way to check a deep answer of a reasoning model that gives none. Source: Kadavath et al., Language Models
(Mostly) Know What They Know (arXiv 2207.05221), with Yes and No for their (A) True and (B) False.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from adaptive_reasoner.state import EntropyBounds, Signal
from adaptive_reasoner.uncertainty.logprobs import parse_response
from adaptive_reasoner.uncertainty.opinion import Ask, Inquiry, doubt_signal
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.tokens import TokenLogprob

VERIFY = (
    "Somebody answered the request above like this:\n\n<answer>\n{answer}\n</answer>\n\n"
    "Is that answer correct? Reply with one word, Yes or No, and nothing else."
)
# Below this share of the first word's probability, the verifier did not answer the question.
LEAST_MASS = 0.5
# Tokens: room for a word and some dress around it. OpenAI's Responses API takes no fewer than 16.
_LONGEST_REPLY = 16

_YES = frozenset({"yes", "y", "true"})
_NO = frozenset({"no", "n", "false"})
_DRESS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verifier's Yes and No, as probabilities of its first word; what is left was neither."""

    yes: float
    no: float

    @property
    def p_true(self) -> float:
        """P(Yes) among Yes and No; .5 where neither was likely at all."""
        return self.yes / (self.yes + self.no) if self.yes + self.no > 0 else 0.5


def read_verdict(tokens: Sequence[TokenLogprob]) -> Verdict | None:
    """The verdict at the first token that spells a word; None where there is none.

    Yes and No are summed over spellings (" yes", "YES", "**Yes"); a token's top list may hold only one of them,
    so that the other's probability is taken to be 0.
    """
    first = next((token for token in tokens if _word(token.token)), None)
    if first is None:
        return None
    entries = first.top or [(first.token, first.logprob)]
    masses = [
        sum(math.exp(logprob) for text, logprob in entries if _word(text) in words) for words in (_YES, _NO)
    ]
    return Verdict(*masses)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Asks a model whether the answer is right, and reads the probability of Yes.

    Attributes:
        model: gives log probabilities; None: the fast model. A model is a poor judge of its own answers.
        prompt: how it is asked, with {answer} in it; the reply must begin with Yes or No.
    """

    model: BaseChatModel | None = None
    prompt: str = VERIFY

    @property
    def most_calls(self) -> int:
        """One question, one word."""
        return 1

    def inquire(self, messages: Sequence[BaseMessage], answer: AIMessage) -> Inquiry:
        """Ask once; unknown where no log probabilities arrive or the reply is neither Yes nor No."""
        text = str(answer.text).strip()
        if not text or answer.tool_calls:
            return unknown_signal("a verifier judges answers in words, and there are none")
        question = with_question(messages, self.prompt.format(answer=text))
        reply = yield Ask(messages=question, model=self.model, max_output_tokens=_LONGEST_REPLY)
        if reply is None:
            return unknown_signal("the verifier could not be asked")
        logprobs = parse_response(reply)
        if not logprobs.trusted:
            return unknown_signal(f"the verifier's reply has no usable log probabilities: {logprobs.reason}")
        verdict = read_verdict(logprobs.tokens)
        if verdict is None or verdict.yes + verdict.no < LEAST_MASS:
            return unknown_signal(f"the verifier said neither Yes nor No: {str(reply.text)[:40]!r}")
        return _signal(verdict)


def with_question(messages: Sequence[BaseMessage], question: str) -> tuple[BaseMessage, ...]:
    """The conversation with a question at its end, in the last turn where that is the user's.

    Some chat templates refuse two turns of a user in a row, and pictures in the turn must stay.
    """
    last = messages[-1] if messages else None
    if not isinstance(last, HumanMessage):
        return (*messages, HumanMessage(question))
    if isinstance(last.content, str):
        return (*messages[:-1], HumanMessage(f"{last.content}\n\n{question}"))
    return (*messages[:-1], HumanMessage([*last.content, {"type": "text", "text": question}]))


def _signal(verdict: Verdict) -> Signal:
    p, mass = verdict.p_true, min(verdict.yes + verdict.no, 1.0)
    entropy = abs(sum(q * math.log(q) for q in (p, 1.0 - p) if q > 0))
    return doubt_signal(
        "verifier",
        1.0 - p,
        f"a verifier gives P(true) {p:.2f}",
        covered_mass=mass,
        entropy_nats=EntropyBounds(lower=entropy, upper=entropy),
    )


def _word(token: str) -> str:
    return _DRESS.sub("", token).casefold()
