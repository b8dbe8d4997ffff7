"""Fits the perception of a student in a Hugging Face directory to what both its orders make of the same questions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from adaptive_reasoner.decoding.local_model import LocalModel
from adaptive_reasoner.decoding.order_texts import Order, OrderTexts, tag_ids
from adaptive_reasoner.decoding.student_perception import last_state
from adaptive_reasoner.decoding.token_choice import SamplingOptions
from adaptive_reasoner.decoding.writing import Writing, WritingOptions
from adaptive_reasoner.training.distill.directory import DirectoryStudentConfig
from adaptive_reasoner.training.distill.examples import DistillExample
from adaptive_reasoner.training.distill.perception import Outcomes, fit_perception
from adaptive_reasoner.training.drawing import Drawer
from adaptive_reasoner.uncertainty.equivalence import same_answer


def perceive(
    config: DirectoryStudentConfig, drawer: Drawer, examples: Sequence[DistillExample]
) -> dict[str, Any]:
    """Ask both orders, fit, and describe the perception as plain JSON; a soft prompt is saved beside it."""
    chosen = examples[: config.perceived]
    outcomes = ask_both_orders(config, drawer, chosen)
    if config.perception == "soft_prompt":
        from adaptive_reasoner.training.distill.soft_prompt import fit_soft_prompt

        return fit_soft_prompt(config, drawer, [one.question for one in chosen], outcomes)
    states = np.stack([last_state(drawer.model, drawer.prompt(one.question)).numpy() for one in chosen])
    fitted = fit_perception(states, outcomes, config.tolerance)
    return {"kind": "head", **fitted.to_json()}


def ask_both_orders(
    config: DirectoryStudentConfig, drawer: Drawer, examples: Sequence[DistillExample]
) -> Outcomes:
    """Greedy answers in both orders; answering first stops where its rationale would begin."""
    orders: tuple[tuple[Order, int], ...] = (
        ("answer_first", config.answer_tokens),
        ("think_first", config.think_tokens),
    )
    right: dict[Order, list[bool]] = {}
    tokens: dict[Order, list[float]] = {}
    for order, limit in orders:
        said = [answer_in_order(drawer, config.texts, one.question, order, limit) for one in examples]
        right[order] = [
            bool(answer) and same_answer(answer, one.answer)
            for (answer, _), one in zip(said, examples, strict=True)
        ]
        tokens[order] = [float(count) for _, count in said]
    return Outcomes(
        np.array(right["answer_first"]),
        np.array(right["think_first"]),
        np.array(tokens["answer_first"]),
        np.array(tokens["think_first"]),
    )


def answer_in_order(
    drawer: Drawer, texts: OrderTexts, question: str, order: Order, max_tokens: int
) -> tuple[str, int]:
    """The greedy answer and the tokens that it took, as `StudentChatModel` writes it."""
    read = [*drawer.prompt(question), *tag_ids(drawer.tokenizer, texts, order)]
    stop = (texts.because,) if order == "answer_first" else ()
    options = WritingOptions(SamplingOptions(), max_tokens, stop)
    writing = Writing(LocalModel(drawer.model, drawer.tokenizer), None, read, options)
    text = "".join(token.text for token in writing.tokens())
    return texts.answer_in(text), len(writing.generated)
