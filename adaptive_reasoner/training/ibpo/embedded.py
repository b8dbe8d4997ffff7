"""IBPO on the embedded model, over a few CPU processes; resumable.

Every step trains on the ordinary recipe (rehearsal, so that no mode is forgotten) and on responses that the
program chose in the last round of sampling. Batches and rounds are functions of (seed, process, step).
"""

import platform
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
import torch.distributed as dist

import adaptive_reasoner
from adaptive_reasoner.training.embedded.batches import BatchStream, collate
from adaptive_reasoner.training.embedded.collect import FirstAnswer, collect
from adaptive_reasoner.training.embedded.config import StageConfig, TrainConfig
from adaptive_reasoner.training.embedded.examples import Example, draw_example
from adaptive_reasoner.training.embedded.export import export, load_exported, provenance_of
from adaptive_reasoner.training.embedded.optimizer import Optimizer
from adaptive_reasoner.training.embedded.schedule import relative_rate
from adaptive_reasoner.training.embedded.stage import append_log
from adaptive_reasoner.training.ibpo.config import IbpoConfig
from adaptive_reasoner.training.ibpo.loss import step_loss
from adaptive_reasoner.training.ibpo.mode_rows import fit_mode_rows
from adaptive_reasoner.training.ibpo.price import Price
from adaptive_reasoner.training.ibpo.program import check_share
from adaptive_reasoner.training.ibpo.sampling import Round, sample_round
from adaptive_reasoner.training.processes import return_memory, run_in_step

COMMAND = "adaptive-reasoner train ibpo"
SHIPPED_WEIGHTS = Path(adaptive_reasoner.__file__).parent / "embedded" / "weights"
_LOG_EVERY = 25


def train_embedded(config: IbpoConfig) -> Path:
    """Train the auto mode into the embedded model; goes on where an earlier run stopped.

    Args:
        config: settings; `config.directory` receives model.npz, model.json, the log and the checkpoint.

    Returns:
        The folder with the new weights.

    Raises:
        ConfigurationError: the thinking share is outside 0..1.
    """
    check_share(config.share)
    config.directory.mkdir(parents=True, exist_ok=True)
    run_in_step(_work, config, config.processes, config.seed)
    return config.directory


def _work(rank: int, config: IbpoConfig) -> None:
    EmbeddedRun(config, rank).run()


class EmbeddedRun:
    """One process's part; all hold the same weights and the same price, process 0 logs and writes."""

    def __init__(self, config: IbpoConfig, rank: int = 0) -> None:
        self.config = config
        self.rank = rank
        self.model = load_exported(config.weights or SHIPPED_WEIGHTS)
        self.price = Price(None)
        self.step = 0
        self._optimizer = Optimizer(
            self.model, TrainConfig(directory=config.directory, processes=config.processes)
        )
        self._rehearsal = self._open_rehearsal()
        if config.compile:
            for block in self.model.layers():
                block.compile(dynamic=True)  # pyright: ignore[reportUnknownMemberType]

    def _open_rehearsal(self) -> BatchStream:
        config = self.config
        seed = f"ibpo:{config.seed}:{self.rank}"
        path = config.directory / f"first-answers-{self.rank}.json"
        firsts = collect(self.model, config.collect // config.processes, seed, path)
        return BatchStream(partial(_draw, config=config, firsts=firsts), config.rehearsal, seed)

    def run(self) -> None:
        """Train to the last step, from the checkpoint where there is one."""
        self._restore()
        if self.step == 0:
            self._start_modes()
        restored, started = self.step, time.monotonic()
        found: list[tuple[float, float]] = []
        sampled: Round | None = None
        while self.step < self.config.steps:
            if sampled is None or self.step % self.config.round_every == 0:
                sampled = self._sample()
            found.append(self._learn(sampled.examples))
            if self.step % _LOG_EVERY == 0:
                self._log_losses(found, time.monotonic() - started)
                found.clear()
                return_memory()
            if self.step % self.config.checkpoint_steps == 0:
                self._save()
        if self.step > restored:
            self._save()

    def _start_modes(self) -> None:
        """Fit the mode tokens' rows first, so that the rest need not move for them."""
        loss = fit_mode_rows(self.model, self.config.row_problems, self.config.seed)
        if dist.is_initialized():
            dist.broadcast(self.model.head.weight.data, 0)
        self._log({"step": 0, "mode_rows_loss": loss})

    def _sample(self) -> Round:
        number = self.step // self.config.round_every
        self.price.share = None if number < self.config.free_rounds else self.config.share
        sampled = sample_round(self.config, self.model, number)
        self.price.follow(sampled.think_logits)
        self._log({"round": number, "step": self.step, "price": self.price.value, **sampled.figures()})
        return sampled

    def _learn(self, responses: Sequence[Example]) -> tuple[float, float]:
        """One step of the optimizer; gives the losses of the tokens and of the mode token."""
        count = self.config.responses
        turn = self.step % self.config.round_every
        extra = [responses[(turn * count + index) % len(responses)] for index in range(count)]
        batch = collate([*self._rehearsal.examples(self.step), *extra])
        loss = step_loss(self.model, batch, self.price.value, self.config.mode_weight)
        loss.total.backward()  # pyright: ignore[reportUnknownMemberType]
        self._optimizer.step(relative_rate(_schedule(self.config), self.step, self.step / self.config.steps))
        self.step += 1
        return loss.tokens, loss.mode

    def _log_losses(self, found: Sequence[tuple[float, float]], seconds: float) -> None:
        tokens, mode = (sum(losses) / len(found) for losses in zip(*found, strict=True))
        self._log({"step": self.step, "loss": tokens, "mode_loss": mode, "minutes": seconds / 60})

    def _log(self, entry: dict[str, Any]) -> None:
        if self.rank == 0:
            append_log(self.config.directory, entry)
            print(" ".join(f"{name} {value:.4g}" for name, value in entry.items()), flush=True)

    def _save(self) -> None:
        if self.rank:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "price": self.price.value,
        }
        path = self._checkpoint_path
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)
        export(self.model, self.config.directory, self._provenance())

    @property
    def _checkpoint_path(self) -> Path:
        return self.config.directory / "ibpo.pt"

    def _restore(self) -> None:
        if not self._checkpoint_path.exists():
            return
        state: dict[str, Any] = torch.load(self._checkpoint_path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.price.value = state["step"], state["price"]

    def _provenance(self) -> dict[str, object]:
        config = self.config
        return {
            "command": COMMAND,
            "share": config.share,
            "seed": config.seed,
            "processes": config.processes,
            "steps": self.step,
            "started_from": provenance_of(config.weights or SHIPPED_WEIGHTS),
            "torch": torch.__version__,
            "machine": platform.machine(),
        }


def _schedule(config: IbpoConfig) -> StageConfig:
    return StageConfig(
        "ibpo",
        minutes=0,
        steps=config.steps,
        peak=config.peak,
        decay_from=0.1,
        final=0.0,
        warmup_steps=config.warmup_steps,
    )


def _draw(rng: Random, config: IbpoConfig, firsts: list[FirstAnswer]) -> Example:
    if not firsts or rng.random() >= config.rehearsal.refine:
        return draw_example(rng, config.rehearsal)
    first = rng.choice(firsts)
    return draw_example(rng, config.rehearsal, (first.problem, first.answer, first.request(rng)))
