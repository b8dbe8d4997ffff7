"""Fits perception to a student of the embedded architecture and writes it into its weights.

The line becomes the difference of the rows of `<think>` and `<fast>` in the head, its bias the thresholds in
model.json, so that the student's own first token is the perception: `EmbeddedChatModel(thinking="auto")`.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.dialogue import ANSWER_PREFIX, Mode, render_prompt
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.embedded.weights import read_weights
from adaptive_reasoner.profile_files import write_profile
from adaptive_reasoner.training.distill.examples import DistillExample
from adaptive_reasoner.training.distill.perception import Floats, Outcomes, Perception, fit_perception
from adaptive_reasoner.training.embedded.batches import collate
from adaptive_reasoner.training.embedded.examples import Example
from adaptive_reasoner.training.embedded.export import export, load_exported, provenance_of
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.uncertainty.equivalence import same_answer

_SHARES = (25, 50, 75)
_ROWS = 128


def fit_student_perception(
    folder: Path, examples: Sequence[DistillExample], tolerance: float = 0.005
) -> Perception:
    """Answer in both orders, fit, and write the perception into the student's weights.

    Args:
        folder: with model.npz and model.json.
        examples: that the student was not trained on.
        tolerance: accuracy that may be lost against thinking first always, 0..1.
    """
    model = load_exported(folder)
    states = last_states(model, [example.question for example in examples])
    perception = fit_perception(states, ask_both(Runtime(read_weights(folder)), examples), tolerance)
    _write(model, folder, perception, states)
    return perception


def ask_both(runtime: Runtime, examples: Sequence[DistillExample]) -> Outcomes:
    """What a student makes of the questions in both orders, greedily; answer first stops after the answer.

    The mode token that perception says is paid in both.
    """
    found = {mode: _ask(runtime, examples, mode) for mode in ("fast", "deep")}
    right = {
        mode: np.array([_is_right(one, e) for one, e in zip(answers, examples, strict=True)])
        for mode, answers in found.items()
    }
    paid = {mode: np.array([len(one.tokens) + 1.0 for one in answers]) for mode, answers in found.items()}
    return Outcomes(right["fast"], right["deep"], paid["fast"], paid["deep"])


def _ask(runtime: Runtime, examples: Sequence[DistillExample], mode: Mode) -> list[Generation]:
    prompts = [render_prompt([("user", example.question)]) for example in examples]
    return generate_batch(runtime, prompts, mode)


def _is_right(said: Generation, example: DistillExample) -> bool:
    answer = said.text.strip().removeprefix(ANSWER_PREFIX).strip()
    return bool(answer) and same_answer(answer, example.answer)


@torch.no_grad()
def last_states(model: Decoder, questions: Sequence[str]) -> Floats:
    """The hidden state (n, d) after each question, where the first token is chosen."""
    prompts = [render_prompt([("user", question)]) for question in questions]
    found = np.zeros((len(prompts), model.config.d_model))
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    for start in range(0, len(order), _ROWS):
        rows = order[start : start + _ROWS]
        batch = collate([Example(prompts[index], []) for index in rows])
        hidden = model(batch.ids, batch.positions, batch.mask).flatten(0, 1)
        found[rows] = hidden[batch.mode_at].float().numpy()
    return found


def _write(model: Decoder, folder: Path, perception: Perception, states: Floats) -> None:
    """Split the line over both rows, around their mean: other modes' probabilities hardly feel it."""
    rows = torch.tensor([special("<fast>"), special("<think>")])
    half = torch.tensor(perception.weights / 2.0, dtype=torch.float32)
    with torch.no_grad():
        middle = model.head.weight[rows].mean(0)
        model.head.weight[rows] = torch.stack([middle - half, middle + half])
    export(model, folder, provenance_of(folder))
    scores = states @ perception.weights
    chosen = round(100 * perception.share)
    thresholds = {share: float(np.quantile(scores, 1.0 - share / 100)) for share in _SHARES}
    thresholds[chosen] = -perception.bias
    path = folder / "model.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["auto"] = {
        "thresholds": {str(share): _sigmoid(score) for share, score in sorted(thresholds.items())},
        "chosen": chosen, "n": len(states), "perception": perception.figures,
    }  # fmt: skip
    write_profile(path, about, "student's description")


def _sigmoid(score: float) -> float:
    return float(np.exp(-np.logaddexp(0.0, -score)))
