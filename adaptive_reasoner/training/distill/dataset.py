"""From candidates to a dataset: verified, deduplicated, weighted, ordered, and split without leakage."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from adaptive_reasoner.checks import check_choice, check_positive, check_range
from adaptive_reasoner.training.distill.examples import DistillExample, Order, Split
from adaptive_reasoner.uncertainty.arithmetic import find_equations
from adaptive_reasoner.uncertainty.equivalence import same_answer

Drop = Literal["no_answer", "no_rationale", "wrong", "work_does_not_hold", "unverified", "step_marked_wrong"]

_NO_WORD = re.compile(r"[^\w+\-*/=<>%$€£.,]+")
_EDGES = re.compile(r"(?<!\d)[.,]|[.,](?!\d)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A worked answer as a trace or a teacher gave it, not verified yet.

    Attributes:
        question: as a user asked it.
        answer: the short answer that the work led to.
        rationale: the work.
        source: "teacher:NAME" or "run:ID".
        first_answer: what was said before any work; None where nothing was.
        reference: the right answer, where somebody knows it.
        correct: what a label says of `answer`; None where nobody did.
        escalated: a gate sent the first answer to deeper thought.
        refined: a gate had the first answer checked.
        step_mark: a person marked a step of the work as wrong: "redone", the work was done anew from before it;
            "dropped", there is no other.
    """

    question: str
    answer: str
    rationale: str
    source: str
    first_answer: str | None = None
    reference: str | None = None
    correct: bool | None = None
    escalated: bool = False
    refined: bool = False
    step_mark: Literal["redone", "dropped"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """How candidates become a dataset.

    Attributes:
        calibration, test: percentages of the questions held apart.
        disagreement, escalation, refinement: what each adds to the weight 1 of an example.
        needs_verifier: drop what nothing could verify, too.
        grouping: questions that are equal as "text", or as "template" (numbers masked), share a split.
    """

    calibration: float = 10.0
    test: float = 10.0
    disagreement: float = 1.0
    escalation: float = 0.5
    refinement: float = 0.5
    needs_verifier: bool = False
    grouping: Literal["text", "template"] = "text"

    def __post_init__(self) -> None:
        for name in ("calibration", "test"):
            check_range(name, getattr(self, name), 0.0, 90.0)
        check_range("calibration + test", self.calibration + self.test, 0.0, 95.0)
        for name in ("disagreement", "escalation", "refinement"):
            check_positive(name, getattr(self, name) or None)
        check_choice("grouping", self.grouping, ("text", "template"))


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was kept, and why the rest was not.

    Attributes:
        examples: of all splits, in the order in which they came.
        candidates: how many there were.
        drops: reason -> how many.
        config: how it was built.
        step_marks: of the candidates with a step that a person marked as wrong: "redone" or "dropped" -> how many.
    """

    examples: tuple[DistillExample, ...]
    candidates: int
    drops: dict[str, int]
    config: DatasetConfig = field(default_factory=DatasetConfig)
    step_marks: dict[str, int] = field(default_factory=dict[str, int])

    def split(self, name: Split) -> list[DistillExample]:
        """The examples of one split."""
        return [one for one in self.examples if one.split == name]


def build_dataset(candidates: Iterable[Candidate], config: DatasetConfig | None = None) -> Dataset:
    """Verify, deduplicate, weigh and split.

    An answer is verified by its label, else against the reference, else as far as arithmetic goes: where the work
    holds equations, each must hold. Of equal questions the first verified answer counts; answers that contradict
    each other and that nothing verified are dropped together.
    """
    settings = config or DatasetConfig()
    drops: Counter[str] = Counter()
    groups: dict[str, list[tuple[Candidate, bool | None]]] = {}
    given = list(candidates)
    for candidate in given:
        verified, drop = _verify(candidate, settings)
        if drop is not None:
            drops[drop] += 1
        else:
            groups.setdefault(normal_question(candidate.question), []).append((candidate, verified))
    examples: list[DistillExample] = []
    for key, group in groups.items():
        chosen = _choose(group)
        drops["duplicate" if chosen else "conflict"] += len(group) - bool(chosen)
        if chosen:
            examples.append(_example(*chosen, split_of(key, settings), settings))
    marks = Counter(one.step_mark for one in given if one.step_mark)
    kept_drops = {name: n for name, n in drops.items() if n}
    return Dataset(tuple(examples), len(given), kept_drops, settings, dict(marks))


def normal_question(question: str) -> str:
    """The question without case, spacing and punctuation, which near-duplicates share; numbers and signs stay."""
    text = unicodedata.normalize("NFKC", question).casefold()
    return _EDGES.sub("", _NO_WORD.sub(" ", text)).strip()


def template_of(question: str) -> str:
    """The normal question with its numbers masked."""
    return _NUMBER.sub("#", normal_question(question))


def _verify(candidate: Candidate, config: DatasetConfig) -> tuple[bool | None, Drop | None]:
    if candidate.step_mark == "dropped":
        return None, "step_marked_wrong"
    if not candidate.question.strip() or not candidate.answer.strip():
        return None, "no_answer"
    if not candidate.rationale.strip():
        return None, "no_rationale"
    correct = candidate.correct
    if correct is None and candidate.reference is not None:
        correct = same_answer(candidate.answer, candidate.reference)
    if correct is not None:
        return (True, None) if correct else (False, "wrong")
    if not all(equation.holds for equation in find_equations(candidate.rationale)):
        return False, "work_does_not_hold"
    return None, "unverified" if config.needs_verifier else None


def _choose(group: Sequence[tuple[Candidate, bool | None]]) -> tuple[Candidate, bool | None] | None:
    """The first verified candidate; else the first, if all say the same."""
    for candidate, verified in group:
        if verified:
            return candidate, verified
    first = group[0]
    agree = all(same_answer(first[0].answer, other.answer) for other, _ in group[1:])
    return first if agree else None


def _example(
    candidate: Candidate, verified: bool | None, split: Split, config: DatasetConfig
) -> DistillExample:
    reasons = _reasons(candidate)
    weight = 1.0 + sum(getattr(config, reason) for reason in reasons)
    order: Order = "think_first" if reasons or candidate.first_answer is None else "answer_first"
    return DistillExample(
        question=candidate.question.strip(),
        answer=candidate.answer.strip(),
        rationale=candidate.rationale.strip(),
        order=order,
        weight=weight,
        reasons=reasons,
        verified=verified,
        source=candidate.source,
        split=split,
    )


def _reasons(candidate: Candidate) -> tuple[str, ...]:
    """Why an example is hard: its work came to something else than was said first, or a gate doubted."""
    first = candidate.first_answer
    differs = first is not None and not same_answer(first, candidate.answer)
    flags = (
        ("disagreement", differs),
        ("escalation", candidate.escalated),
        ("refinement", candidate.refined),
    )
    return tuple(name for name, holds in flags if holds)


def split_of(question: str, config: DatasetConfig) -> Split:
    """The split that a question belongs to, whether the dataset has it or not."""
    key = normal_question(question)
    grouped = _NUMBER.sub("#", key) if config.grouping == "template" else key
    place = int.from_bytes(hashlib.sha256(grouped.encode()).digest()[:8]) / 2**64 * 100
    if place < config.test:
        return "test"
    return "calibration" if place < config.test + config.calibration else "train"
