"""Does the reason that follows an answer lead to it? Checked by rule, without a model call.

Answers that come before their rationale (Chen et al., arXiv 2404.09170, call it post-thinking) cannot be led astray
by it, and the rationale can be held against them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.arithmetic import Equation, find_equations
from adaptive_reasoner.uncertainty.equivalence import normal_text, read_quantity, same_answer
from adaptive_reasoner.uncertainty.opinion import Inquiry, doubt_signal
from adaptive_reasoner.uncertainty.rationale_text import answer_with_rationale, split_rationale
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.spans import find_answer_span

# P(wrong) of answers that their own work contradicts: .73 on recorded answers (benchmarks/agreement.py).
DOUBT_IF_CONTRADICTED = 0.7
CONTRADICTION = "the rationale contradicts the answer: it comes to another result"
_HEADING = re.compile(
    r"^[^\S\n]*+(?:because|since|reason(?:ing)?|rationale|explanation|why)\b", re.IGNORECASE | re.MULTILINE
)

_RESULT = re.compile(r"^[ \t>*_#\-]*+result[ \t*_]*+:[ \t*_]*(\S[^\n]*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rationale:
    """What became of checking an answer's work.

    Attributes:
        equations: the calculations found in it.
        answer: the number that was answered.
    """

    equations: tuple[Equation, ...]
    answer: float

    @property
    def failed(self) -> int:
        """Calculations that do not hold."""
        return sum(not equation.holds for equation in self.equations)

    @property
    def reaches_answer(self) -> bool:
        """True if a calculation, done again, comes to the answer; checks may follow the one that does."""
        return any(Equation(one.left, self.answer, one.rounding).holds for one in self.equations)

    @property
    def agreement(self) -> float:
        """1.0 where every calculation holds and one comes to the answer, 0.0 otherwise."""
        return float(self.reaches_answer and not self.failed)


def read_rationale(text: str, answer_span: AnswerSpan = "auto") -> Rationale | None:
    """The answer's work, re-derived; None where the answer is no number or no calculation is found."""
    answer, rationale = split_rationale(text)
    start, end = find_answer_span(text if rationale is None else answer, answer_span)
    quantity = read_quantity(normal_text(text[start:end]))
    equations = find_equations(text[:start] + "\n" + text[end:])
    return Rationale(tuple(equations), quantity.value) if quantity and equations else None


def rationale_agreement(text: str, answer_span: AnswerSpan = "auto") -> float | None:
    """1.0 or 0.0 for an answer that is followed by its rationale, None for any other, and where nothing can be held.

    What the rationale says it comes to ("Result: …") is compared with the answer; without such a line its
    calculations are done again, if the answer is a number.
    """
    if not _comes_first(text, answer_span):
        return None
    rationale, said = read_rationale(text, answer_span), _result_of(text)
    if said is None:
        return rationale.agreement if rationale else None
    start, end = find_answer_span(split_rationale(text)[0], answer_span)
    is_same = same_answer(text[start:end], said)
    return float(is_same and not (rationale and rationale.failed))


def with_rationale(signal: Signal, message: AIMessage, answer_span: AnswerSpan = "auto") -> Signal:
    """The signal with what the rationale after the answer says of it; alone, a contradiction is the signal.

    Args:
        signal: of the answer's tokens.
        message: the answer, its rationale in the text or beside it.
        answer_span: where the answer stands; see `find_answer_span`.
    """
    text = answer_with_rationale(message)
    agreement = rationale_agreement(text, answer_span)
    if agreement is None:
        return signal
    work = None if agreement or _result_of(text) else read_rationale(text, answer_span)
    return with_agreement(signal, agreement, _contradiction(work) if work else CONTRADICTION)


def with_agreement(signal: Signal, agreement: float, why: str = CONTRADICTION) -> Signal:
    """The signal with what the answer's work says of it; where nothing else is known, a contradiction is the signal.

    Args:
        signal: of the answer's tokens, or from elsewhere.
        agreement: 1.0: the work leads to the answer; 0.0: to another one.
        why: in words, where it contradicts the answer.
    """
    if signal["kind"] == "unknown" and not agreement:
        signal = doubt_signal("agreement", DOUBT_IF_CONTRADICTED, why)
    return {**signal, "rationale_agreement": agreement}


def _result_of(text: str) -> str | None:
    """What the last "Result: …" line of the rationale names."""
    found = _RESULT.findall(split_rationale(text)[1] or "")
    return found[-1].rstrip(" \t*_.") or found[-1] if found else None


def _comes_first(text: str, answer_span: AnswerSpan) -> bool:
    """True for an answer with a rationale after it."""
    if split_rationale(text)[1]:  # a heading of its own; what it leads to may look like an answer, too
        return True
    heading = _HEADING.search(text)
    return heading is not None and heading.start() >= find_answer_span(text, answer_span)[1]


@dataclass(frozen=True, slots=True)
class RationaleAgreement:
    """Holds an answer's own work against it; asks no model.

    Work that contradicts its answer is a sign of error. Work that leads to the answer is no sign of truth: a wrong
    plan is mostly carried out flawlessly. A rationale that comes after the answer may be, if the model does not
    merely argue for what it said; measure that before you set `doubt_if_agreed`.

    Attributes:
        doubt_if_contradicted: P(wrong) of an answer that its work contradicts.
        doubt_if_agreed: P(wrong) of an answer whose rationale, after it, agrees; None leaves it unknown.
        answer_span: where the answer stands; see `find_answer_span`.
    """

    doubt_if_contradicted: float = DOUBT_IF_CONTRADICTED
    doubt_if_agreed: float | None = None
    answer_span: AnswerSpan = "auto"

    def __post_init__(self) -> None:
        doubts = (self.doubt_if_contradicted, self.doubt_if_agreed)
        if any(doubt is not None and not 0 <= doubt <= 1 for doubt in doubts):
            raise ConfigurationError(f"the doubts of {self!r} must lie between 0 and 1.")

    @property
    def most_calls(self) -> int:
        """None: the rule reads what is there."""
        return 0

    def inquire(self, messages: Sequence[BaseMessage], answer: AIMessage) -> Inquiry:  # noqa: ARG002
        """Check the work; unknown where none is found, and mostly where it agrees."""
        yield from ()
        text = answer_with_rationale(answer)
        rationale = read_rationale(text, self.answer_span)
        if rationale is None:
            return unknown_signal("the answer comes without work that a rule could check")
        if rationale.agreement and self.doubt_if_agreed is not None and _comes_first(text, self.answer_span):
            return doubt_signal(
                "agreement", self.doubt_if_agreed, "the rationale after the answer agrees with it"
            )
        if rationale.agreement:
            return unknown_signal("the answer's work agrees with it, which says little about its truth")
        return doubt_signal("agreement", self.doubt_if_contradicted, _contradiction(rationale))


def _contradiction(rationale: Rationale) -> str:
    failed, count = rationale.failed, len(rationale.equations)
    why = f"{failed} of {count} calculations do not hold" if failed else "the work comes to another result"
    return f"the rationale contradicts the answer: {why}"
