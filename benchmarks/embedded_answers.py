"""Runs the embedded model over problems in one mode, in several processes, and keeps what is measured."""

import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.dialogue import Mode, render_prompt
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.phases import ThoughtLimits
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.embedded.tokenizer import encoding

SHARD = 512
ANSWER = re.compile(r"Answer: (\d+)")
RESULT = re.compile(r"= (\d+)")


@dataclass(frozen=True, slots=True)
class Setting:
    """One way of asking: a mode and how its thought is steered."""

    mode: Mode
    limits: ThoughtLimits = field(default_factory=ThoughtLimits)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of one generation.

    Attributes:
        value: the number after "Answer:"; None: there is none.
        rationale_value: the last result of an answer-first rationale.
        tokens: generated tokens, thought and `<eos>` included, the mode token not.
        entropies: nats, of each visible token, over its renormalised top 20.
        probability: of the visible tokens together.
    """

    value: int | None
    rationale_value: int | None
    tokens: int
    entropies: tuple[float, ...]
    probability: float


def settings() -> dict[str, Setting]:
    """Everything that is run, by its name in the results."""
    work, check = (encoding().encode_ordinary(text) for text in (" work:", " check"))
    return {
        "fast": Setting("fast"),
        "deep": Setting("deep"),
        "answer_first": Setting("answer_first"),
        "deep_without_plan": Setting("deep", ThoughtLimits(forced_prefix=tuple(work))),
        "deep_without_check": Setting("deep", ThoughtLimits(close_before=check[0])),
        **{f"budget_{n}": Setting("deep", ThoughtLimits(budget_tokens=n)) for n in (0, 16, 32, 64, 96)},
    }


def answer_all(name: str, questions: Sequence[str], workers: int) -> list[Answer]:
    """Answer every question in the setting `name`, in order, printing progress."""
    shards = [questions[start : start + SHARD] for start in range(0, len(questions), SHARD)]
    answers: list[Answer] = []
    with ProcessPoolExecutor(workers) as pool:
        for shard in pool.map(partial(_answer_shard, settings()[name]), shards):
            answers += shard
            print(f"\r{name}: {len(answers):,} of {len(questions):,}", end="", flush=True)
    print()
    return answers


def _answer_shard(setting: Setting, questions: Sequence[str]) -> list[Answer]:
    prompts = [render_prompt([("user", question)]) for question in questions]
    top = 20 if setting.mode == "fast" else None
    config = GenerationConfig(top_logprobs=top, score_thoughts=False, thought=setting.limits)
    return [
        _keep(generation) for generation in generate_batch(shipped_runtime(), prompts, setting.mode, config)
    ]


def _keep(generation: Generation) -> Answer:
    text = generation.text
    found, results = ANSWER.search(text), RESULT.findall(text)
    scores = [token.scores for token in generation.answer if token.scores is not None]
    return Answer(
        value=int(found[1]) if found else None,
        rationale_value=int(results[-1]) if results else None,
        tokens=len(generation.tokens),
        entropies=tuple(_entropy(score.top_logprobs) for score in scores),
        probability=float(np.exp(sum(score.logprob for score in scores))),
    )


def _entropy(top_logprobs: np.ndarray) -> float:
    p = np.exp(top_logprobs.astype(np.float64))
    p /= p.sum()
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum())
