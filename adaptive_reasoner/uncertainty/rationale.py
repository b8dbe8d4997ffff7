"""Does the reason that follows an answer lead to it? Checked by rule, without a model call.

Answers that come before their rationale (Chen et al., arXiv 2404.09170, call it post-thinking) cannot be led astray
by it, and the rationale can be held against them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.config import AnswerSpan
from adaptive_reasoner.uncertainty.arithmetic import Equation, find_equations
from adaptive_reasoner.uncertainty.equivalence import normal_text, read_quantity
from adaptive_reasoner.uncertainty.opinion import Inquiry, doubt_signal
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.spans import find_answer_span

# P(wrong) of answers that their own work contradicts, as measured by benchmarks/agreement.py.
DOUBT_IF_CONTRADICTED = 0.7
_HEADING = re.compile(
    r"^\s*(?:because|since|reason(?:ing)?|rationale|explanation|why)\b", re.IGNORECASE | re.MULTILINE
)


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
    start, end = find_answer_span(text, answer_span)
    quantity = read_quantity(normal_text(text[start:end]))
    equations = find_equations(text[:start] + "\n" + text[end:])
    return Rationale(tuple(equations), quantity.value) if quantity and equations else None


def rationale_agreement(text: str, answer_span: AnswerSpan = "auto") -> float | None:
    """For the report: 1.0 or 0.0 for an answer that is followed by its rationale, None for any other."""
    heading = _HEADING.search(text)
    if not heading or heading.start() < find_answer_span(text, answer_span)[1]:
        return None
    rationale = read_rationale(text, answer_span)
    return rationale.agreement if rationale else None


@dataclass(frozen=True, slots=True)
class RationaleAgreement:
    """Holds an answer's own work against it; asks no model.

    Work that contradicts its answer is a sign of error; work that agrees is none of truth (a wrong plan is mostly
    carried out flawlessly), so then the signal is unknown and the next source is tried.

    Attributes:
        answer_span: where the answer stands; see `find_answer_span`.
    """

    answer_span: AnswerSpan = "auto"

    @property
    def most_calls(self) -> int:
        """None: the rule reads what is there."""
        return 0

    def inquire(self, messages: Sequence[BaseMessage], answer: AIMessage) -> Inquiry:  # noqa: ARG002
        """Check the work; unknown where none is found or it agrees."""
        yield from ()
        rationale = read_rationale(str(answer.text), self.answer_span)
        if rationale is None:
            return unknown_signal("the answer comes without work that a rule could check")
        if rationale.agreement:
            return unknown_signal("the answer's work agrees with it, which says little about its truth")
        why = f"{rationale.failed} of {len(rationale.equations)} calculations do not hold"
        if not rationale.failed:
            why = "the work comes to another result"
        return doubt_signal(
            "agreement", DOUBT_IF_CONTRADICTED, f"the rationale contradicts the answer: {why}"
        )
