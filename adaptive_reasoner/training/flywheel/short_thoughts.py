"""Cuts thoughts where their result already stands in them and the model that wrote them is sure of its answer.

What comes after, such as a check that found nothing, is paid for by every answer and changes none of these.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from adaptive_reasoner.embedded.branches import Branch, render_branch
from adaptive_reasoner.embedded.dialogue import ANSWER_PREFIX, render_prompt
from adaptive_reasoner.training.distill.dataset import Candidate
from adaptive_reasoner.training.embedded.batches import collate
from adaptive_reasoner.training.embedded.examples import Example
from adaptive_reasoner.training.embedded.export import load_exported
from adaptive_reasoner.training.embedded.model import Decoder

_STEP_ENDS = re.compile(r"(?<=[.;])\s+")
_ROWS = 32


@dataclass(frozen=True, slots=True)
class _Cut:
    """A beginning of a candidate's thought, as the model would answer from it."""

    candidate: int
    rationale: str
    prompt: list[int]
    branch: Branch


def shorten(weights: Path, candidates: Sequence[Candidate], sure: float) -> list[Candidate]:
    """The candidates, each with the shortest beginning of its rationale that is enough.

    Enough is a beginning that ends with a step, holds the answer, and from which the model gives the answer with a
    probability of `sure` at the least. Where none is, and where the answer is wrong, the rationale stays whole.

    Args:
        weights: folder with model.npz and model.json, of the model that is asked.
        candidates: worked answers.
        sure: probability in (0, 1].
    """
    model = load_exported(weights)
    cuts = [cut for index, one in enumerate(candidates) for cut in _cuts(index, one, model.config.context)]
    short: dict[int, str] = {}
    for cut, probability in zip(cuts, _answer_probabilities(model, cuts), strict=True):
        if probability >= sure:
            short.setdefault(cut.candidate, cut.rationale)  # a candidate's cuts come the shortest first
    return [replace(one, rationale=short.get(index, one.rationale)) for index, one in enumerate(candidates)]


def beginnings(rationale: str, answer: str) -> list[str]:
    """What of the rationale ends with a step and holds the answer as a word of its own, the shortest first."""
    holds = re.compile(rf"(?<![\w.]){re.escape(answer)}(?!\w)")
    ends = [match.start() for match in _STEP_ENDS.finditer(rationale)]
    texts = [rationale[:end].rstrip(" ;") for end in ends]
    return [text for text in texts if holds.search(text)]


def _cuts(index: int, candidate: Candidate, context: int) -> list[_Cut]:
    if candidate.correct is not True or not candidate.answer.strip():
        return []
    prompt = render_prompt([("user", candidate.question)])
    answer = (f"{ANSWER_PREFIX} {candidate.answer}", 1.0)
    cuts = [
        _Cut(index, text, prompt, render_branch("deep", [(f" {text}", 0.0), ("</think>", 0.0), answer]))
        for text in beginnings(candidate.rationale, candidate.answer.strip())
    ]
    return [cut for cut in cuts if len(prompt) + len(cut.branch.ids) <= context]


@torch.no_grad()
def _answer_probabilities(model: Decoder, cuts: Sequence[_Cut]) -> list[float]:
    """P(the answer and its end) after each cut."""
    found = [0.0] * len(cuts)
    order = sorted(range(len(cuts)), key=lambda i: len(cuts[i].prompt) + len(cuts[i].branch.ids))
    for start in range(0, len(order), _ROWS):
        rows = order[start : start + _ROWS]
        batch = collate([Example(cuts[i].prompt, [cuts[i].branch]) for i in rows])
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model(batch.ids, batch.positions, batch.mask).flatten(0, 1)[batch.predict_at]
            logits = model.head(hidden)
        given = logits.float().log_softmax(-1).gather(1, batch.targets[:, None])[:, 0]
        totals = torch.zeros(len(rows)).index_add_(0, batch.predict_at // batch.ids.shape[1], given)
        for index, total in zip(rows, totals.exp(), strict=True):
            found[index] = float(total)
    return found
