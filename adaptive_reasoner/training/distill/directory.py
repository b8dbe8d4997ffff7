"""Distils worked answers into any Hugging Face causal language model; `accelerate launch` spreads it.

Loss of a row: sum of -log p over its tokens, times the example's weight; of a batch: the weighted mean a token.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch

from adaptive_reasoner.checks import check_choice, check_positive, check_range
from adaptive_reasoner.decoding.local_folder import check_folders
from adaptive_reasoner.decoding.local_model import load_local_model
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.decoding.order_texts import Order, OrderTexts
from adaptive_reasoner.decoding.student_perception import STUDENT_FILE
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.profile_files import write_profile
from adaptive_reasoner.training.distill.config import BOTH
from adaptive_reasoner.training.distill.directory_rows import (
    Collator,
    TrainingRow,
    training_rows,
    weighted_loss,
)
from adaptive_reasoner.training.distill.examples import read_split
from adaptive_reasoner.training.drawing import Drawer
from adaptive_reasoner.training.trainer_runs import last_checkpoint, lora_settings, trainer_settings

PerceptionKind = Literal["head", "soft_prompt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryStudentConfig:
    """A run on a model directory.

    Attributes:
        data: dataset folder with train.jsonl and calibration.jsonl.
        model: Hugging Face folder (or hub name) to start from.
        directory: receives the student, its checkpoints, log.jsonl, curves.png and student.json.
        orders: those that the student learns; with both, perception is fitted, too.
        perception: "head", a logistic line on the question's last hidden state, or "soft_prompt".
        lora_rank: 0 trains every weight; else an adapter on every linear layer, merged in at the end.
        weighted: whether hard examples weigh more.
        rows: a step and process; an example gives one for each order.
        max_length: tokens of a row; longer ones are left out and counted.
        perceived: calibration questions that perception is fitted on, at most.
        answer_tokens, think_tokens: the longest completion of each order while it is fitted.
        soft_tokens: of the soft prompt.
        tolerance: of accuracy, that the adaptive order may lose against thinking first, 0..1.
    """

    data: Path
    model: str
    directory: Path
    orders: tuple[Order, ...] = BOTH
    perception: PerceptionKind = "head"
    lora_rank: int = 0
    weighted: bool = True
    seed: int = 0
    epochs: float = 1.0
    rows: int = 16
    learning_rate: float = 1e-4
    max_length: int = 1024
    save_every: int = 100
    perceived: int = 1000
    answer_tokens: int = 64
    think_tokens: int = 512
    soft_tokens: int = 8
    tolerance: float = 0.005
    texts: OrderTexts = field(default_factory=OrderTexts)

    def __post_init__(self) -> None:
        check_choice("perception", self.perception, ("head", "soft_prompt"))
        check_range("lora_rank", self.lora_rank, 0, 4096)
        for name in ("rows", "max_length", "save_every", "perceived", "soft_tokens"):
            check_positive(name, getattr(self, name), whole=True)
        for name in ("epochs", "learning_rate"):
            check_positive(name, getattr(self, name))


def train_directory_student(config: DirectoryStudentConfig) -> Path:
    """Train, save the student, and fit its perception; goes on from the newest checkpoint.

    Returns:
        `config.directory`, a Hugging Face folder.

    Raises:
        ConfigurationError: the model cannot be loaded, or the directory holds another run.
        InvalidInputError: the dataset cannot be used.
    """
    examples = read_split(config.data, "train")
    check_folders([config.model], LocalOptions())
    state: Any = import_module("accelerate").PartialState()
    if state.is_main_process:
        _claim(config)
    state.wait_for_everyone()
    local = load_local_model(config.model, LocalOptions(dtype="float32"))
    drawer = Drawer(local.model, local.tokenizer)
    rows = training_rows(drawer, examples, config)
    trainer = _train(config, drawer, rows)
    trainer.accelerator.wait_for_everyone()
    if state.is_main_process:
        _finish(config, drawer, trainer.accelerator.unwrap_model(trainer.model), len(rows))
    return config.directory


def _claim(config: DirectoryStudentConfig) -> None:
    """Note what the directory's run is; refuse to mix two runs."""
    config.directory.mkdir(parents=True, exist_ok=True)
    path = config.directory / "run.json"
    told = json.loads(json.dumps(asdict(config), default=str))
    del told["directory"]
    known: Any = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else told
    different = [name for name in told if known.get(name) != told[name]]
    if different:
        raise ConfigurationError(
            f"{config.directory} holds another run (other {', '.join(different)}); give another directory."
        )
    write_profile(path, told, "run's settings")


def _train(config: DirectoryStudentConfig, drawer: Drawer, rows: Sequence[TrainingRow]) -> Any:
    from transformers import Trainer, TrainingArguments

    from adaptive_reasoner.training.guider.curves import JsonLines

    arguments: Any = TrainingArguments
    build: Any = Trainer
    trainer = build(
        model=_with_adapter(config, drawer.model),
        args=arguments(**_settings(config)),
        train_dataset=[asdict(row) for row in rows],
        data_collator=Collator(drawer.pad),
        compute_loss_func=weighted_loss,
        callbacks=[JsonLines(config.directory / "log.jsonl")],
    )
    newest = last_checkpoint(config)
    trainer.train(resume_from_checkpoint=None if newest is None else str(newest))
    return trainer


def _with_adapter(config: DirectoryStudentConfig, model: Any) -> Any:
    if not config.lora_rank:
        return model
    torch.manual_seed(config.seed)  # pyright: ignore[reportUnknownMemberType]
    peft: Any = import_module("peft")
    return peft.get_peft_model(model, lora_settings(config.lora_rank, 2 * config.lora_rank))


def _settings(config: DirectoryStudentConfig) -> dict[str, Any]:
    return {
        **trainer_settings(config),
        "remove_unused_columns": False,
        "average_tokens_across_devices": False,  # each process takes its own weighted mean
    }


def _finish(config: DirectoryStudentConfig, drawer: Drawer, trained: Any, rows: int) -> None:
    from adaptive_reasoner.training.distill.directory_perception import perceive
    from adaptive_reasoner.training.guider.curves import plot_curves

    model = trained.merge_and_unload() if config.lora_rank else trained
    model.save_pretrained(config.directory)
    drawer.tokenizer.save_pretrained(config.directory)
    plot_curves(config.directory)
    drawer.model = model.eval()
    told: dict[str, Any] = {"orders": list(config.orders), "texts": asdict(config.texts), "rows": rows}
    if set(config.orders) == set(BOTH):
        told["perception"] = perceive(config, drawer, read_split(config.data, "calibration"))
    write_profile(config.directory / STUDENT_FILE, told, "student's description")
