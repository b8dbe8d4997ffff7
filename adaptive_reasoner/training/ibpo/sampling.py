"""One round of sampling: fresh prompts, responses of both modes, their rewards, and the program's choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.distributed as dist
from numpy.typing import NDArray

from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.branches import Branch
from adaptive_reasoner.embedded.dialogue import MODE_TOKENS, Mode, answer_text, render_prompt
from adaptive_reasoner.embedded.first_token import think_logits
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.problems import Problem, generate
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.embedded.weights import ModelShape, fold_weights
from adaptive_reasoner.training.embedded.examples import Example
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.ibpo.config import IbpoConfig
from adaptive_reasoner.training.ibpo.figures import round_figures
from adaptive_reasoner.training.ibpo.program import NONE, Chosen, Rewards, solve

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Round:
    """What one process trains on until the next round, and what all of them saw.

    Attributes:
        examples: this process's prompts with their chosen responses.
        rewards: of all processes' prompts.
        think_logits: (n,) of all processes' prompts.
        chosen: the program's solution over all of them.
    """

    examples: list[Example]
    rewards: Rewards
    think_logits: Floats
    chosen: Chosen

    def figures(self) -> dict[str, float]:
        """What the log keeps of a round."""
        return round_figures(self.rewards, self.think_logits, self.chosen)


def runtime_of(model: Decoder) -> Runtime:
    """The NumPy runtime over the weights as they are now."""
    used = encoding().n_vocab
    arrays = {name.removesuffix(".weight"): p.detach().numpy().copy() for name, p in model.named_parameters()}
    arrays |= {name: arrays[name][:used] for name in ("embed", "head")}
    shape = ModelShape.from_json({**model.config.to_dict(), "vocab_size": used})
    return Runtime(fold_weights(arrays, shape))


def sample_round(config: IbpoConfig, model: Decoder, number: int) -> Round:
    """Sample this process's prompts, pool the rewards of all processes and solve the program over them.

    Args:
        config: how many prompts and responses.
        model: answers as it is now.
        number: of the round; decides prompts and draws.
    """
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    seed = (config.seed * 10_007 + number) * world + rank
    problems = list(generate("train", config.prompts, seed=seed))
    prompts = [render_prompt([("user", problem.question)]) for problem in problems]
    runtime = runtime_of(model)
    fast = [_answer(runtime, prompts, "fast", [seed, k]) for k in range(config.fast_samples)]
    deep = [_answer(runtime, prompts, "deep", [seed, k]) for k in range(config.deep_samples)]
    logits = think_logits(runtime, prompts)
    pooled = _pool((_rewards(problems, fast), _rewards(problems, deep), logits), world)
    rewards = Rewards(pooled[0], pooled[1])
    chosen = solve(rewards, config.share)
    first = rank * len(problems)
    examples = [
        Example(prompt, _branches((fast, deep), chosen, row, first + row), _gain(rewards, first + row))
        for row, prompt in enumerate(prompts)
    ]
    return Round(examples, rewards, pooled[2], chosen)


def _answer(runtime: Runtime, prompts: Sequence[list[int]], mode: Mode, seed: list[int]) -> list[Generation]:
    drawn = int(np.random.default_rng([*seed, mode == "deep"]).integers(2**31))
    return generate_batch(runtime, prompts, mode, GenerationConfig(temperature=1.0, seed=drawn))


def _rewards(problems: Sequence[Problem], draws: Sequence[Sequence[Generation]]) -> Floats:
    """(n, draws) 1 where the answer is right."""
    right = [
        [generation.text.strip() == answer_text(problem.answer) for generation in generations]
        for problem, generations in zip(problems, zip(*draws, strict=True), strict=True)
    ]
    return np.array(right, dtype=np.float64)


def _pool(own: tuple[Floats, ...], world: int) -> tuple[Floats, ...]:
    """Each array with those of all processes, in the order of their ranks."""
    if world == 1:
        return own
    found: list[Any] = [None] * world
    dist.all_gather_object(found, own)  # pyright: ignore[reportUnknownMemberType]
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _branches(
    draws: tuple[list[list[Generation]], list[list[Generation]]], chosen: Chosen, row: int, pooled_row: int
) -> list[Branch]:
    """The chosen response as a branch that carries a loss; none where none was chosen."""
    choices: dict[Mode, int] = {"fast": int(chosen.fast[pooled_row]), "deep": int(chosen.deep[pooled_row])}
    branches: list[Branch] = []
    for answers, (mode, choice) in zip(draws, choices.items(), strict=True):
        if choice != NONE:
            ids = [token.id for token in answers[choice][row].tokens]
            branches.append(Branch(mode, [special(MODE_TOKENS[mode]), *ids], [0.0] + [1.0] * len(ids)))
    return branches


def _gain(rewards: Rewards, pooled_row: int) -> float:
    return float(np.clip(rewards.gain[pooled_row], 0.0, 1.0))
