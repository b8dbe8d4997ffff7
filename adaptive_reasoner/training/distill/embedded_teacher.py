"""The embedded model's deep mode as a teacher, on its own problems.

Its thoughts mostly are word for word what the problem's program would write. So the program drafts them, one pass of
the model checks every token of a draft, and only the problems on which its own token would differ are generated:
the same greedy text, several times as fast.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import torch

from adaptive_reasoner.embedded.batch import generate_batch
from adaptive_reasoner.embedded.branches import Branch, render_branch
from adaptive_reasoner.embedded.dialogue import ANSWER_PREFIX, answer_text, render_prompt
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.thoughts import write_thought
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.embedded.weights import read_weights
from adaptive_reasoner.training.distill.dataset import Candidate
from adaptive_reasoner.training.embedded.batches import collate
from adaptive_reasoner.training.embedded.examples import Example
from adaptive_reasoner.training.embedded.export import load_exported
from adaptive_reasoner.training.embedded.model import Decoder

SHIPPED = Path(str(files("adaptive_reasoner.embedded"))) / "weights"
SOURCE = "teacher:adaptive-reasoner-embedded, deep"
_CHUNK = 512
_ROWS = 32


def ask_embedded(
    problems: Sequence[Problem], weights: Path, on_progress: Callable[[int], None] | None = None
) -> Iterator[Candidate]:
    """Let the model of exported weights answer fast and deep, greedily.

    Args:
        problems: of its own kinds.
        weights: folder with model.npz and model.json.
        on_progress: called with the number of problems answered.
    """
    model, runtime = load_exported(weights), Runtime(read_weights(weights))
    for start in range(0, len(problems), _CHUNK):
        part = problems[start : start + _CHUNK]
        prompts = [render_prompt([("user", problem.question)]) for problem in part]
        firsts = generate_batch(runtime, prompts, "fast")
        for problem, worked, first in zip(part, _deep(model, runtime, part), firsts, strict=True):
            yield Candidate(
                question=problem.question,
                answer=_short(worked[1]),
                rationale=worked[0],
                source=SOURCE,
                first_answer=_short(first.text),
                reference=str(problem.answer),
            )
        if on_progress is not None:
            on_progress(start + len(part))


def _short(text: str) -> str:
    return text.strip().removeprefix(ANSWER_PREFIX).strip()


def _deep(model: Decoder, runtime: Runtime, problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """Each problem's thought and answer."""
    drafts = [write_thought(problem) for problem in problems]
    found = [(draft.text.strip(), answer_text(draft.answer)) for draft in drafts]
    branches = [
        render_branch("deep", [(draft.text, 1.0), ("</think>", 1.0), (answer_text(draft.answer), 1.0)])
        for draft in drafts
    ]
    prompts = [render_prompt([("user", problem.question)]) for problem in problems]
    other = [index for index, kept in enumerate(_confirmed(model, prompts, branches)) if not kept]
    for index, said in zip(
        other, generate_batch(runtime, [prompts[index] for index in other], "deep"), strict=True
    ):
        found[index] = (said.thought.removesuffix("</think>").strip(), said.text)
    return found


@torch.no_grad()
def _confirmed(model: Decoder, prompts: Sequence[list[int]], branches: Sequence[Branch]) -> list[bool]:
    """Whether the model's own greedy tokens are those of each branch; phases forbid other special tokens."""
    forbidden = torch.zeros(model.config.vocab_size)
    forbidden[special("<bos>") :] = -torch.inf
    forbidden[[special("</think>"), special("<eos>")]] = 0.0
    forbidden[encoding().n_vocab :] = -torch.inf
    kept = [False] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]) + len(branches[index].ids))
    for start in range(0, len(order), _ROWS):
        rows = order[start : start + _ROWS]
        batch = collate([Example(prompts[index], [branches[index]]) for index in rows])
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model(batch.ids, batch.positions, batch.mask).flatten(0, 1)[batch.predict_at]
            logits = model.head(hidden)
        differs = (logits.float() + forbidden).argmax(-1) != batch.targets
        width = batch.ids.shape[1]
        missed = {int(place) // width for place in batch.predict_at[differs]}
        for number, index in enumerate(rows):
            kept[index] = number not in missed
    return kept
