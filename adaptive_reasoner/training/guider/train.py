"""THINKLOGIT-DPO: tunes a guider on right over wrong answers of the target, of itself, or of both together.

`accelerate launch` spreads both parts over processes and machines that share the directory: each process draws its
chunks of the samples, then all train on the same pairs with their gradients averaged.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from adaptive_reasoner.decoding.local_folder import check_folders
from adaptive_reasoner.decoding.local_model import load_local_model
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.profile_files import write_profile
from adaptive_reasoner.training.drawing import Drawer
from adaptive_reasoner.training.guider.config import GuiderConfig, Writer
from adaptive_reasoner.training.guider.curves import JsonLines, plot_curves
from adaptive_reasoner.training.guider.guidance import check_vocabulary, move_guided_probabilities
from adaptive_reasoner.training.guider.pairs import make_pairs, right_answers
from adaptive_reasoner.training.guider.sample import Sample
from adaptive_reasoner.training.guider.samples import Place, claim, draw_samples, read_samples
from adaptive_reasoner.training.guider.trainers import (
    Rows,
    build_trainer,
    imitation_rows,
    preference_rows,
)
from adaptive_reasoner.training.ibpo.task import Task, read_tasks
from adaptive_reasoner.training.trainer_runs import last_checkpoint

ABOUT = "guider.json"


def train_guider(config: GuiderConfig) -> Path:
    """Draw the samples that are missing, pair them, and tune the guider; goes on where an earlier run stopped.

    Returns:
        `config.directory`, a Hugging Face folder with the tuned guider, its adapter merged in.

    Raises:
        ConfigurationError: a folder is no model, or holds what another run left.
        InvalidInputError: the task file cannot be used, or no pair can be made.
    """
    sampling = config.sampling
    tasks = read_tasks(sampling.tasks, (sampling.prompt_column, sampling.answer_column))
    names = (sampling.guider, sampling.target, sampling.base)
    check_folders([name for name in names if name], LocalOptions())
    if config.is_guided:
        check_vocabulary(sampling)
    state: Any = _processes()
    if state.is_main_process:
        claim(sampling)
        _claim(config)
    state.wait_for_everyone()
    place = Place(int(state.process_index), int(state.num_processes), str(state.device))
    for writer in config.writers:
        draw_samples(sampling, writer, tasks, place)
    state.wait_for_everyone()
    if not (config.directory / ABOUT).is_file():
        _tune(config, tasks, place)
    return config.directory


def _processes() -> Any:
    """This process and those beside it; without a GPU they must be told so, or they miss each other."""
    on_gpu = bool(import_module("torch").cuda.is_available())
    return import_module("accelerate").PartialState(**({} if on_gpu else {"cpu": True}))


def _claim(config: GuiderConfig) -> None:
    """Note what the directory's run is; refuse to mix two runs."""
    config.directory.mkdir(parents=True, exist_ok=True)
    path = config.directory / "run.json"
    told = {name: value for name, value in asdict(config).items() if name not in {"directory", "sampling"}}
    told["samples"] = hashlib.sha256((config.sampling.directory / "samples.json").read_bytes()).hexdigest()
    kept: Any = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else told
    known: Any = {"policy": "guider", **kept}  # runs of older versions know no other
    different = [name for name in told if known.get(name) != told[name]]
    if different:
        raise ConfigurationError(
            f"{config.directory} holds another run (other {', '.join(different)}); give another directory."
        )
    write_profile(path, told, "run's settings")


def _tune(config: GuiderConfig, tasks: list[Task], place: Place) -> None:
    """Train, merge the adapter and save; what was learned of is counted in guider.json, written last."""
    local = load_local_model(config.sampling.guider, LocalOptions(dtype="float32"))
    drawer = Drawer(local.model.train(), local.tokenizer)
    rows, told = _rows(config, drawer, tasks)
    trainer = build_trainer(config, drawer, rows, [JsonLines(config.directory / "log.jsonl")])
    if config.policy == "guided":
        move_guided_probabilities(trainer, config.sampling, place.device)
    resumed = last_checkpoint(config)
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=None if resumed is None else str(resumed))
    seconds = time.monotonic() - started
    trainer.accelerator.wait_for_everyone()
    if place.rank:
        return
    tuned = trainer.accelerator.unwrap_model(trainer.model)
    tuned.save_pretrained(config.directory / "adapter")
    tuned.merge_and_unload().save_pretrained(config.directory)
    local.tokenizer.save_pretrained(config.directory)
    plot_curves(config.directory)
    spent = {"seconds": seconds, "steps": int(trainer.state.global_step), "processes": place.world}
    write_profile(config.directory / ABOUT, {**told, **spent}, "account of the run")


def _rows(config: GuiderConfig, drawer: Drawer, tasks: list[Task]) -> tuple[Rows, Mapping[str, object]]:
    samples: dict[Writer, list[Sample]] = {
        writer: read_samples(config.sampling, writer, len(tasks)) for writer in config.writers
    }
    drawn = {writer: sum(one.tokens for one in several) for writer, several in samples.items()}
    shares = {writer: sum(one.right for one in several) / len(several) for writer, several in samples.items()}
    if config.objective == "sft":
        chosen = right_answers(samples, config.pairs, config.pairs_a_prompt, config.seed)
        rows = imitation_rows(drawer, tasks, chosen)
    else:
        pairs = make_pairs(samples, config.sources, config.pairs, config.pairs_a_prompt, config.seed)
        rows = preference_rows(drawer, tasks, pairs)
    texts = [text for row in rows for name, text in row.items() if name != "prompt"]
    tokens = sum(len(drawer.tokenizer.encode(text)) for text in texts)
    return rows, {
        "objective": config.objective,
        "sources": config.sources,
        "policy": config.policy,
        "rows": len(rows),
        "answer_tokens_trained": tokens,
        "answer_tokens_drawn": drawn,
        "right": shares,
    }
