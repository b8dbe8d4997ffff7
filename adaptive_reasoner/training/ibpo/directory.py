"""IBPO on a Hugging Face model directory; `accelerate launch` spreads it over processes and machines.

Every round each process draws responses of both modes to its own prompts, rewards are pooled, the program is
solved over all of them, and one step of the optimizer is taken on the whole round.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.training.ibpo.causal_lm import CausalLm, Scored, TextMode
from adaptive_reasoner.training.ibpo.figures import round_figures
from adaptive_reasoner.training.ibpo.price import Price, mode_weights
from adaptive_reasoner.training.ibpo.program import NONE, Chosen, Rewards, check_share, solve
from adaptive_reasoner.training.ibpo.task import Task, read_tasks, verify

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryConfig:
    """A run on a model directory.

    Attributes:
        model: directory with a causal language model and its tokenizer.
        tasks: JSONL file with question and answer.
        directory: receives the trained model, its tokenizer and log.jsonl.
        share: q, the share of prompts that should think; None: no constraint.
        rounds: each one step of the optimizer.
        prompts: a round and process; all processes' prompts share one program.
        fast_samples, deep_samples: responses a prompt, at temperature 1.
        fast_tokens, deep_tokens: the longest response of each mode.
        fast_tag, deep_tag: text after the prompt that starts a mode; the model learns to write it.
        rows: sequences a forward pass.
        free_rounds: rounds before the share is asked for.
        save_every: rounds between two saved models.
    """

    model: Path
    tasks: Path
    directory: Path
    share: float | None = 0.5
    seed: int = 0
    rounds: int = 100
    prompts: int = 32
    fast_samples: int = 4
    deep_samples: int = 4
    fast_tokens: int = 64
    deep_tokens: int = 512
    fast_tag: str = "<fast>"
    deep_tag: str = "<think>"
    rows: int = 8
    learning_rate: float = 1e-5
    free_rounds: int = 5
    save_every: int = 25


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One process's prompts and responses, and its part of the pooled solution."""

    prompts: list[list[int]]
    responses: dict[TextMode, list[list[list[int]]]]
    chosen: Chosen
    think: Floats
    fast: Floats


def train_directory(config: DirectoryConfig) -> Path:
    """Train a model directory to choose its mode.

    Returns:
        `config.directory`, which holds the trained model.

    Raises:
        ConfigurationError: the share is outside 0..1, or the tags are one for the tokenizer.
        InvalidInputError: the task file cannot be used.
    """
    check_share(config.share)
    tasks = read_tasks(config.tasks)
    if not (config.model / "config.json").is_file():
        raise ConfigurationError(f"{config.model} holds no config.json; give a Hugging Face model directory.")
    config.directory.mkdir(parents=True, exist_ok=True)
    DirectoryRun(config, tasks).run()
    return config.directory


class DirectoryRun:
    """One process's part; gradients are averaged by accelerate, the rest is equal everywhere."""

    def __init__(self, config: DirectoryConfig, tasks: Sequence[Task]) -> None:
        transformers: Any = import_module("transformers")
        self.config = config
        self.tasks = tasks
        self.price = Price(None)
        self.accelerator: Any = import_module("accelerate").Accelerator()
        model = transformers.AutoModelForCausalLM.from_pretrained(config.model)
        tokenizer = transformers.AutoTokenizer.from_pretrained(config.model)
        optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.0)
        model, self._optimizer = self.accelerator.prepare(model, optimizer)
        self.policy = CausalLm(model, tokenizer, {"fast": config.fast_tag, "deep": config.deep_tag})
        torch.manual_seed(config.seed * 1009 + self.accelerator.process_index)  # pyright: ignore[reportUnknownMemberType]

    def run(self) -> None:
        """Train all rounds and save."""
        for number in range(self.config.rounds):
            self.price.share = None if number < self.config.free_rounds else self.config.share
            drawn, figures = self._draw(number)
            loss = self._learn(drawn)
            self._log({"round": number, "loss": loss, "price": self.price.value, **figures})
            if (number + 1) % self.config.save_every == 0 or number + 1 == self.config.rounds:
                self._save()

    def _draw(self, number: int) -> tuple[_Drawn, dict[str, float]]:
        """Draw this process's responses, pool the rewards, move the price and solve the program."""
        tasks = self._tasks_of(number)
        prompts = [self.policy.prompt(task.question) for task in tasks]
        self.policy.model.eval()
        limits: dict[TextMode, tuple[int, int]] = {
            "fast": (self.config.fast_samples, self.config.fast_tokens),
            "deep": (self.config.deep_samples, self.config.deep_tokens),
        }
        responses: dict[TextMode, list[list[list[int]]]] = {
            mode: self.policy.draw(prompts, mode, *limit) for mode, limit in limits.items()
        }
        own = (
            self._rewards(tasks, responses["fast"]),
            self._rewards(tasks, responses["deep"]),
            self._think_logits(prompts),
        )
        fast, deep, logits = self._pool(own)
        rewards = Rewards(fast, deep)
        self.price.follow(logits)
        solution = solve(rewards, self.config.share)
        think, quick = mode_weights(np.clip(rewards.gain, 0.0, 1.0), self.price.value)
        start = self.accelerator.process_index * len(tasks)
        mine = slice(start, start + len(tasks))
        chosen = Chosen(solution.fast[mine], solution.deep[mine])
        drawn = _Drawn(prompts, responses, chosen, think[mine], quick[mine])
        return drawn, round_figures(rewards, logits, solution)

    def _tasks_of(self, number: int) -> list[Task]:
        """This process's tasks of a round; a function of seed, round and process."""
        count, world = self.config.prompts, self.accelerator.num_processes
        rng = Random(f"{self.config.seed}:{number}")
        every = [rng.choice(self.tasks) for _ in range(count * world)]
        return every[self.accelerator.process_index * count :][:count]

    def _rewards(self, tasks: Sequence[Task], responses: Sequence[Sequence[list[int]]]) -> Floats:
        found = [
            [verify(self.policy.text(response), task) for response in draws]
            for task, draws in zip(tasks, responses, strict=True)
        ]
        return np.array(found, dtype=np.float64)

    @torch.no_grad()
    def _think_logits(self, prompts: Sequence[list[int]]) -> Floats:
        """(n,) log P(think tag) - log P(fast tag)."""
        found: list[float] = []
        for start in range(0, len(prompts), self.config.rows):
            part = prompts[start : start + self.config.rows]
            think, fast = (
                self.policy.log_probabilities([Scored(p, self.policy.tags[mode], []) for p in part])[0]
                for mode in ("deep", "fast")
            )
            found += (think - fast).cpu().tolist()  # pyright: ignore[reportUnknownMemberType]
        return np.array(found, dtype=np.float64)

    def _pool(self, own: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """Each array with those of all processes, in the order of their ranks."""
        gather: Any = import_module("accelerate.utils").gather_object
        parts: list[tuple[Floats, ...]] = gather([own])
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))

    def _learn(self, drawn: _Drawn) -> float:
        """One step on -sum w log pi, mean over the round's prompts; every process scores equally many rows."""
        self.policy.model.train()
        rows, weights = _rows(drawn, self.policy.tags)
        total, count = 0.0, len(drawn.prompts)
        for start in range(0, len(rows), self.config.rows):
            part = slice(start, start + self.config.rows)
            tags, responses = self.policy.log_probabilities(rows[part])
            weight = torch.tensor(weights[part], dtype=torch.float32, device=tags.device)
            loss: Tensor = -(weight * tags + responses).sum() / count
            self.accelerator.backward(loss)
            total += loss.item()
        self._optimizer.step()
        self._optimizer.zero_grad()
        return total

    def _log(self, entry: dict[str, float]) -> None:
        if not self.accelerator.is_main_process:
            return
        with (self.config.directory / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        print(" ".join(f"{name} {value:.4g}" for name, value in entry.items()), flush=True)

    def _save(self) -> None:
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            self.accelerator.unwrap_model(self.policy.model).save_pretrained(self.config.directory)
            self.policy.tokenizer.save_pretrained(self.config.directory)


def _rows(drawn: _Drawn, tags: dict[TextMode, list[int]]) -> tuple[list[Scored], list[float]]:
    """Two rows a prompt, one a mode, with the chosen response in the row of its mode; the tags' weights."""
    rows: list[Scored] = []
    weights: list[float] = []
    modes: tuple[tuple[TextMode, NDArray[np.int64], Floats], ...] = (
        ("fast", drawn.chosen.fast, drawn.fast),
        ("deep", drawn.chosen.deep, drawn.think),
    )
    for index, prompt in enumerate(drawn.prompts):
        for mode, chosen, weight in modes:
            choice = int(chosen[index])
            response = drawn.responses[mode][index][choice] if choice != NONE else []
            rows.append(Scored(prompt, tags[mode], response))
            weights.append(float(weight[index]))
    return rows, weights
