"""One process's part in training the tool mode."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional

from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.tool_weights import read_change
from adaptive_reasoner.training.embedded.config import StageConfig
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.optimizer import average_gradients
from adaptive_reasoner.training.embedded.schedule import progress, relative_rate
from adaptive_reasoner.training.embedded.stage import append_log
from adaptive_reasoner.training.embedded.tool_adapter import ToolAdapter, read_prefix, read_suffix
from adaptive_reasoner.training.embedded.tool_batches import ToolBatch, ToolStream, collate
from adaptive_reasoner.training.embedded.tool_examples import ToolMixture, problem_row
from adaptive_reasoner.training.processes import return_memory

_LOG_EVERY = 50
_EVALUATED_ROWS = 100
_BETAS = (0.9, 0.95)


@dataclass(frozen=True, slots=True)
class ToolConfig:
    """A whole run; `directory` holds checkpoint, log and curves, and lets a run resume.

    Attributes:
        directory: where the run's files go.
        base: folder with the weights that stay as they are.
        weights: folder that receives tools.npz and tools.json; None: `directory` itself.
        start: folder with the exported change that this run begins with; None: no change.
        minutes: wall-clock time; the learning rate's decay ends with it.
        steps: where given, the schedule follows the steps instead of the clock (reproducible).
        processes: data-parallel processes of one thread each.
        rank: of the change of each matrix.
        rate: AdamW's learning rate.
        rows: of a process's batch.
        checkpoint_minutes: time between checkpoints, each of which is tried on `evaluated` problems.
    """

    directory: Path
    base: Path
    weights: Path | None = None
    start: Path | None = None
    minutes: float = 25.0
    steps: int | None = None
    processes: int = 3
    rank: int = 32
    rate: float = 8e-3
    seed: int = 0
    rows: int = 64
    checkpoint_minutes: float = 4.0
    evaluated: int = 500
    mixture: ToolMixture = field(default_factory=ToolMixture)

    @property
    def stage(self) -> StageConfig:
        """The learning rate's schedule."""
        return StageConfig("tools", minutes=self.minutes, steps=self.steps, decay_from=0.4, final=0.0)


class ToolRun:
    """Trains adapters; every process runs one of these in step. Only process 0 logs and saves.

    Attributes:
        step, tokens, seconds: what has been done so far; part of the checkpoint.
    """

    def __init__(self, config: ToolConfig, base: Decoder, stream: ToolStream) -> None:
        self.config = config
        self.base = base.requires_grad_(requires_grad=False)
        self.adapter = ToolAdapter(base, config.rank)
        if config.start is not None:
            self.adapter.load_change(read_change(config.start))
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self._stream = stream
        self._adam = torch.optim.AdamW(
            self.adapter.parameters(), lr=config.rate, betas=_BETAS, weight_decay=0.0
        )

    @property
    def checkpoint_path(self) -> Path:
        """The run's checkpoint."""
        return self.config.directory / "tools.pt"

    def run(self, problems: list[Problem]) -> None:
        """Train to the end, from the checkpoint where there is one.

        Args:
            problems: never trained on; what each checkpoint is tried on.
        """
        self._restore()
        started, saved = time.monotonic() - self.seconds, self.seconds
        losses: list[float] = []
        while (done := self._agree()) < 1:
            losses.append(self._train_step(done))
            self.seconds = time.monotonic() - started
            if self.step % _LOG_EVERY == 0:
                return_memory()
                self._log({"loss": sum(losses) / len(losses), "done": done, "tokens": self.tokens})
                losses.clear()
            if self.seconds - saved > 60 * self.config.checkpoint_minutes:
                saved = self.seconds
                self._save(problems)
        self._save(problems)

    def _agree(self) -> float:
        """Process 0's clock decides for all, so that they stop at the same step."""
        shared = torch.tensor([progress(self.config.stage, self.step, self.seconds)], dtype=torch.float64)
        if dist.is_initialized():
            dist.broadcast(shared, 0)
        return float(shared)

    def _train_step(self, done: float) -> float:
        rows = self._stream.rows(self.step)
        loss = loss_of(self.base, self.adapter, collate(rows))
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        average_gradients(self.adapter.parameters())
        for group in self._adam.param_groups:
            group["lr"] = self.config.rate * relative_rate(self.config.stage, self.step, done)
        self._adam.step()  # pyright: ignore[reportUnknownMemberType]
        self._adam.zero_grad()
        self.step += 1
        self.tokens += sum(map(len, rows)) * self.config.processes
        return loss.item()

    def _log(self, entry: dict[str, Any]) -> None:
        if dist.is_initialized() and dist.get_rank():
            return
        append_log(
            self.config.directory, {"step": self.step, "minutes": round(self.seconds / 60, 2), **entry}
        )
        print(", ".join(f"{name} {value}" for name, value in entry.items()), flush=True)

    def _save(self, problems: list[Problem]) -> None:
        if dist.is_initialized() and dist.get_rank():
            return
        state = {
            "adapter": self.adapter.state_dict(),
            "adam": self._adam.state_dict(),
            "tally": (self.step, self.tokens, self.seconds),
        }
        draft = self.checkpoint_path.with_suffix(".tmp")
        torch.save(state, draft)
        draft.replace(self.checkpoint_path)
        self._log({"right": shares_right(self.base, self.adapter, problems)})

    def _restore(self) -> None:
        if self.checkpoint_path.exists():
            state: dict[str, Any] = torch.load(self.checkpoint_path, weights_only=True)
            self.adapter.load_state_dict(state["adapter"])
            self._adam.load_state_dict(state["adam"])
            self.step, self.tokens, self.seconds = state["tally"]


def loss_of(base: Decoder, adapter: ToolAdapter, batch: ToolBatch) -> Tensor:
    """Weighted mean cross-entropy, in nats, over what the mode writes."""
    weights = batch.weights[:, 1:].flatten()
    at = weights.nonzero()[:, 0]
    with torch.autocast("cpu", torch.bfloat16):
        past = read_prefix(base, batch.prefix, batch.padding)
        hidden = read_suffix(base, adapter, batch.suffix[:, :-1], batch.padding, past)
        logits = functional.linear(hidden.flatten(0, 1)[at], adapter.head(base))
    losses = functional.cross_entropy(logits.float(), batch.suffix[:, 1:].flatten()[at], reduction="none")
    return (losses * weights[at]).sum() / weights[at].sum()


@torch.no_grad()
def shares_right(base: Decoder, adapter: ToolAdapter, problems: list[Problem]) -> dict[str, float]:
    """Share of problems whose greedy call is the expected formula, letter for letter; by level and family.

    Greedy decoding writes a text just when each of its tokens is the likeliest after those before it, so one
    forward pass over the expected text tells.
    """
    groups: dict[str, list[bool]] = {}
    ordered = sorted(problems, key=lambda problem: len(problem.question))
    for start in range(0, len(ordered), _EVALUATED_ROWS):
        chunk = ordered[start : start + _EVALUATED_ROWS]
        rows = [problem_row(problem) for problem in chunk]
        batch = collate(rows)
        with torch.autocast("cpu", torch.bfloat16):
            past = read_prefix(base, batch.prefix, batch.padding)
            hidden = read_suffix(base, adapter, batch.suffix[:, :-1], batch.padding, past)
            hits = functional.linear(hidden, adapter.head(base)).argmax(-1) == batch.suffix[:, 1:]
        for row, problem, hit in zip(rows, chunk, hits, strict=True):
            written = row.weights.index(0.0, 1) - 1  # tokens of the call, its <eos> included
            for name in ("all", f"level {problem.level}", f"family {problem.family}"):
                groups.setdefault(name, []).append(bool(hit[:written].all()))
    return {name: round(sum(group) / len(group), 4) for name, group in sorted(groups.items())}
