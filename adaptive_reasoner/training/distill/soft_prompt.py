"""Perception as a soft prompt: virtual tokens before the question that make the student name its own order.

The student stays as it is; only the virtual tokens are trained, through `peft`, so that log P(think tag) -
log P(answer tag) follows the expected utility of thinking first (see `perception`).
Source: the plug-and-play perception module of Chen et al., arXiv 2404.09170.
"""

from collections.abc import Sequence
from importlib import import_module
from random import Random
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from adaptive_reasoner.decoding.order_texts import tag_ids
from adaptive_reasoner.decoding.student_perception import SOFT_PROMPT_FOLDER, PromptedModel
from adaptive_reasoner.training.distill.directory import DirectoryStudentConfig
from adaptive_reasoner.training.distill.perception import (
    Floats,
    Outcomes,
    Recipe,
    choose_point,
    promise,
    threshold_of,
)
from adaptive_reasoner.training.drawing import Drawer

_PRICE = 0.001  # of a token, in units of P(right)
_HELD_OUT = 4  # one question in so many chooses the threshold
_STEPS = 200
_ROWS = 16
_RATE = 0.02


def fit_soft_prompt(
    config: DirectoryStudentConfig, drawer: Drawer, questions: Sequence[str], outcomes: Outcomes
) -> dict[str, Any]:
    """Train the virtual tokens on three quarters of the questions; the rest choose the threshold.

    Returns:
        The perception as plain JSON; the virtual tokens are saved in the student's folder.
    """
    prompts = [drawer.prompt(question) for question in questions]
    held = np.arange(len(prompts)) % _HELD_OUT == 0
    prompted = _prompted(config, drawer)
    targets = (1.0 + outcomes.utility(_PRICE)) / 2.0
    _train(prompted, [p for p, out in zip(prompts, held, strict=True) if not out], targets[~held], config)
    left = Outcomes(
        outcomes.answer_right[held], outcomes.think_right[held], outcomes.answer_tokens[held],
        outcomes.think_tokens[held],
    )  # fmt: skip
    scores = _scores(prompted, [p for p, out in zip(prompts, held, strict=True) if out])
    best = choose_point({Recipe(_PRICE): scores}, left, config.tolerance)
    prompted.wrapped.save_pretrained(config.directory / SOFT_PROMPT_FOLDER)
    return {
        "kind": "soft_prompt", "bias": -threshold_of(scores, best.share), "price": _PRICE, "share": best.share,
        "figures": promise(best, scores, left),
    }  # fmt: skip


def _prompted(config: DirectoryStudentConfig, drawer: Drawer) -> PromptedModel:
    peft: Any = import_module("peft")
    torch.manual_seed(config.seed)  # pyright: ignore[reportUnknownMemberType]
    settings = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=config.soft_tokens)
    tags = (
        tag_ids(drawer.tokenizer, config.texts, "think_first"),
        tag_ids(drawer.tokenizer, config.texts, "answer_first"),
    )
    return PromptedModel(peft.get_peft_model(drawer.model, settings), tags)


def _train(
    prompted: PromptedModel, prompts: Sequence[list[int]], targets: Floats, config: DirectoryStudentConfig
) -> None:
    trained = [one for one in prompted.wrapped.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=_RATE, weight_decay=0.0)
    rng = Random(config.seed)
    for _ in range(_STEPS):
        rows = [rng.randrange(len(prompts)) for _ in range(_ROWS)]
        wanted = torch.tensor(targets[rows], dtype=torch.float32)
        logits = prompted.logits([prompts[row] for row in rows])
        loss = functional.binary_cross_entropy_with_logits(logits, wanted)
        optimizer.zero_grad()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        optimizer.step()  # pyright: ignore[reportUnknownMemberType]


@torch.no_grad()
def _scores(prompted: PromptedModel, prompts: Sequence[list[int]]) -> Floats:
    parts = [prompted.logits(prompts[start : start + _ROWS]) for start in range(0, len(prompts), _ROWS)]
    return torch.cat(parts).double().cpu().numpy()
