"""Which tokens may come when: a thought, its end, the answer, its rationale; budgets and forced tokens.

The model is trained to keep to this order; the rules make sure of it on any input, so that an answer never
holds a control token and a thought always ends.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache

import numpy as np

from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.embedded.weights import FloatArray


class Phase(IntEnum):
    """What the next token belongs to."""

    THOUGHT = 0
    ANSWER = 1
    ANSWER_BEFORE_RATIONALE = 2


_FIRST_PHASE: dict[Mode, Phase] = {
    "fast": Phase.ANSWER,
    "deep": Phase.THOUGHT,
    "refine": Phase.THOUGHT,
    "answer_first": Phase.ANSWER_BEFORE_RATIONALE,
}
_ALLOWED_SPECIALS: dict[Phase, tuple[str, ...]] = {
    Phase.THOUGHT: ("</think>",),
    Phase.ANSWER: ("<eos>",),
    Phase.ANSWER_BEFORE_RATIONALE: ("<eos>", "<because>"),
}


@dataclass(frozen=True, slots=True)
class ThoughtLimits:
    """How a thought is steered.

    Attributes:
        budget_tokens: thought tokens after which `</think>` is forced; None: no limit.
        forced_prefix: token ids that the thought begins with.
        close_before: a token id in whose place `</think>` is forced.
    """

    budget_tokens: int | None = None
    forced_prefix: tuple[int, ...] = ()
    close_before: int | None = None


@dataclass(slots=True)
class PhaseRules:
    """The rules' state for one sequence, advanced by `take`."""

    mode: Mode
    limits: ThoughtLimits
    phase: Phase = field(init=False)
    thought_tokens: int = field(default=0, init=False)
    finished: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.phase = _FIRST_PHASE[self.mode]

    def take(self, choice: int) -> int:
        """Replace the model's `choice` where a rule demands another token, and advance."""
        token = self._forced(choice) if self.phase is Phase.THOUGHT else choice
        if self.phase is Phase.THOUGHT:
            self.thought_tokens += 1
        if token == special("</think>") or token == special("<because>"):
            self.phase = Phase.ANSWER
        self.finished = token == special("<eos>")
        return token

    def _forced(self, choice: int) -> int:
        limits, count = self.limits, self.thought_tokens
        if limits.budget_tokens is not None and count >= limits.budget_tokens:
            return special("</think>")
        if count < len(limits.forced_prefix):
            return limits.forced_prefix[count]
        return special("</think>") if choice == limits.close_before else choice


@cache
def phase_masks(vocab_size: int) -> FloatArray:
    """(phases, vocab) to add to logits: -inf for the special tokens that a phase forbids, 0 elsewhere.

    Args:
        vocab_size: of the weights; ids beyond the tokenizer's are forbidden as well.
    """
    tokens = encoding()
    masks = np.zeros((len(Phase), vocab_size), dtype=np.float32)
    first_special = min(special(name) for name in tokens.special_tokens_set)
    masks[:, first_special:] = -np.inf
    for phase, names in _ALLOWED_SPECIALS.items():
        masks[phase, [special(name) for name in names]] = 0.0
    return masks
