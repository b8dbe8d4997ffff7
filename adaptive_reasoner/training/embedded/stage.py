"""One process's part in one stage of the training."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional

from adaptive_reasoner.training.embedded.batches import Batch, BatchStream
from adaptive_reasoner.training.embedded.config import StageConfig, TrainConfig
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.optimizer import Optimizer
from adaptive_reasoner.training.embedded.schedule import progress, relative_rate
from adaptive_reasoner.training.processes import return_memory

_LOG_EVERY = 20


@dataclass(slots=True)
class Tally:
    """What a stage has done so far; part of its checkpoint."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


class StageRun:
    """Trains a model through one stage; every process runs one of these in step.

    Each process holds the same weights; only process 0 logs and writes checkpoints.
    """

    def __init__(self, config: TrainConfig, stage: StageConfig, model: Decoder, stream: BatchStream) -> None:
        self.config = config
        self.stage = stage
        self.model = model
        self.tally = Tally()
        self._optimizer = Optimizer(model, config)
        self._stream = stream
        self._rank = dist.get_rank() if dist.is_initialized() else 0

    @property
    def checkpoint_path(self) -> Path:
        """The stage's checkpoint."""
        return self.config.directory / f"{self.stage.name}.pt"

    def run(self, on_checkpoint: Callable[["StageRun"], None]) -> None:
        """Train to the end of the stage, from its checkpoint where there is one.

        Args:
            on_checkpoint: called in process 0 after each checkpoint and at the end.
        """
        self.restore()
        restored = self.tally.step
        started = time.monotonic() - self.tally.seconds
        last_saved = self.tally.seconds
        losses: list[float] = []
        while (done := self._agree(progress(self.stage, self.tally.step, self.tally.seconds))) < 1:
            losses.append(self._step(done))
            self.tally.seconds = time.monotonic() - started
            if self.tally.step % _LOG_EVERY == 0:
                self._log(losses, done)
                losses.clear()
                return_memory()
            if self.tally.seconds - last_saved > 60 * self.config.checkpoint_minutes:
                last_saved = self.tally.seconds
                self._save(on_checkpoint)
        if self.tally.step > restored:
            self._save(on_checkpoint)

    def _agree(self, done: float) -> float:
        """Process 0's clock decides for all, so that they stop at the same step."""
        if not dist.is_initialized() or self.stage.steps is not None:
            return done
        shared = torch.tensor([done], dtype=torch.float64)
        dist.broadcast(shared, 0)
        return float(shared)

    def _step(self, done: float) -> float:
        batch = self._stream.batch(self.tally.step)
        loss = loss_of(self.model, batch)
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        self._optimizer.step(relative_rate(self.stage, self.tally.step, done))
        self.tally.step += 1
        self.tally.tokens += batch.tokens * self.config.processes
        return loss.item()

    def _log(self, losses: list[float], done: float) -> None:
        if self._rank:
            return
        entry = {
            "stage": self.stage.name,
            "step": self.tally.step,
            "loss": sum(losses) / len(losses),
            "done": done,
            "rate": relative_rate(self.stage, self.tally.step, done),
            "minutes": self.tally.seconds / 60,
            "tokens": self.tally.tokens,
        }
        append_log(self.config.directory, entry)
        print(_progress_line(entry), flush=True)

    def _save(self, on_checkpoint: Callable[["StageRun"], None]) -> None:
        if self._rank:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "tally": (self.tally.step, self.tally.tokens, self.tally.seconds),
        }
        draft = self.checkpoint_path.with_suffix(".tmp")
        torch.save(state, draft)
        draft.replace(self.checkpoint_path)
        on_checkpoint(self)

    def restore(self) -> None:
        """Go on from the stage's checkpoint, if it has one."""
        if not self.checkpoint_path.exists():
            return
        state: dict[str, Any] = torch.load(self.checkpoint_path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.tally = Tally(*state["tally"])


def loss_of(model: Decoder, batch: Batch) -> Tensor:
    """Weighted mean cross-entropy, in nats, over the positions that carry a loss."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model(batch.ids, batch.positions, batch.mask)
        logits = model.head(hidden.flatten(0, 1)[batch.predict_at])
    losses = functional.cross_entropy(logits.float(), batch.targets, reduction="none")
    return (losses * batch.weights).sum() / batch.weights.sum()


def append_log(directory: Path, entry: dict[str, Any]) -> None:
    """Add one JSON line to the run's log."""
    with (directory / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def _progress_line(entry: dict[str, Any]) -> str:
    filled = int(30 * entry["done"])
    bar = "#" * filled + "." * (30 - filled)
    speed = entry["tokens"] / max(1e-9, 60 * entry["minutes"])
    return (
        f"{entry['stage']} [{bar}] {entry['done']:.1%} step {entry['step']} "
        f"loss {entry['loss']:.4f} {entry['minutes']:.1f} min {speed:,.0f} tokens/s"
    )
