"""Draws answers of the target and of the guider, and marks them right or wrong.

Prompts are drawn in chunks, each a file of its own and a function of the seed and its number alone: a run that is
stopped goes on with the next chunk, and any number of processes writes the same files.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import torch

from adaptive_reasoner.decoding.local_model import load_local_model
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.profile_files import write_profile
from adaptive_reasoner.training.drawing import Drawer
from adaptive_reasoner.training.guider.checker import is_right
from adaptive_reasoner.training.guider.config import SamplingConfig, Writer
from adaptive_reasoner.training.guider.guidance import guided_drawer
from adaptive_reasoner.training.guider.sample import Sample
from adaptive_reasoner.training.ibpo.task import Task


@dataclass(frozen=True, slots=True)
class Place:
    """This process among those that draw together."""

    rank: int = 0
    world: int = 1
    device: str = "cpu"


def claim(config: SamplingConfig) -> None:
    """Note what the folder's samples are samples of.

    Raises:
        ConfigurationError: the folder holds those of other settings.
    """
    config.directory.mkdir(parents=True, exist_ok=True)
    path = config.directory / "samples.json"
    unguided = () if config.base else ("base", "alpha")
    told = {
        **{
            name: value
            for name, value in asdict(config).items()
            if name not in {"directory", "tasks", "target", *unguided}
        },
        "tasks": hashlib.sha256(config.tasks.read_bytes()).hexdigest(),
    }
    known: Any = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else told
    different = [name for name in told if known.get(name) != told[name]]
    if different:
        raise ConfigurationError(
            f"{config.directory} holds samples of another run (other {', '.join(different)}); give another folder."
        )
    write_profile(path, told, "samples' settings")


def draw_samples(config: SamplingConfig, writer: Writer, tasks: Sequence[Task], place: Place) -> None:
    """Draw this process's chunks that are missing."""
    starts = range(0, len(tasks), config.prompts_a_chunk)
    mine = range(place.rank, len(starts), place.world)
    missing = [number for number in mine if not _path(config, writer, number).is_file()]
    if not missing:
        return
    drawer = _drawer(config, writer, place.device)
    for done, number in enumerate(missing, start=1):
        start = starts[number]
        torch.manual_seed(crc32(f"{config.seed}:{writer}:{number}".encode()))  # pyright: ignore[reportUnknownMemberType]
        found = _draw(config, drawer, tasks, range(start, min(start + config.prompts_a_chunk, len(tasks))))
        _write(_path(config, writer, number), found)
        right = sum(sample.right for sample in found) / len(found)
        print(f"{writer}: chunk {done} of {len(missing)}, {right:.0%} right", flush=True)


def _drawer(config: SamplingConfig, writer: Writer, device: str) -> Drawer:
    if writer == "guided":
        return guided_drawer(config, device)
    name = config.guider if writer == "guider" else str(config.target)
    local = load_local_model(name, LocalOptions(device=device))
    return Drawer(local.model, local.tokenizer)


def _draw(config: SamplingConfig, drawer: Drawer, tasks: Sequence[Task], chosen: range) -> list[Sample]:
    prompts = [drawer.prompt(tasks[index].question) for index in chosen]
    draws = drawer.draw_after(prompts, config.samples, config.max_tokens, config.temperature)
    return [
        _judged(drawer, index, tasks[index], response)
        for index, responses in zip(chosen, draws, strict=True)
        for response in responses
    ]


def _judged(drawer: Drawer, index: int, task: Task, response: list[int]) -> Sample:
    end = drawer.tokenizer.eos_token_id
    spoken = [token for token in response if token != end]
    # Special tokens stay: a thinking mark is part of what is learned. An answer without its end is never right.
    whole = str(drawer.tokenizer.decode(spoken, skip_special_tokens=False))
    ended = bool(response) and response[-1] == end
    return Sample(index, whole, ended and is_right(drawer.text(response), task), len(response))


def read_samples(config: SamplingConfig, writer: Writer, count: int) -> list[Sample]:
    """Every process's samples of the first `count` tasks, in the order of the tasks."""
    chunks = range(len(range(0, count, config.prompts_a_chunk)))
    return [
        Sample(**json.loads(line))
        for number in chunks
        for line in _path(config, writer, number).read_text(encoding="utf-8").splitlines()
    ]


def _path(config: SamplingConfig, writer: Writer, number: int) -> Path:
    return config.directory / writer / f"{number:06d}.jsonl"


def _write(path: Path, samples: Sequence[Sample]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".partial")
    lines = [json.dumps(asdict(sample), ensure_ascii=False) + "\n" for sample in samples]
    draft.write_text("".join(lines), encoding="utf-8")
    draft.replace(path)
