"""What the runs of Hugging Face's trainers share: their settings, their adapter and where they go on."""

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol


class TrainerRun(Protocol):
    """A run on a model directory."""

    @property
    def directory(self) -> Path:
        """Receives the checkpoints."""
        ...

    @property
    def rows(self) -> int:
        """Of a step and process."""
        ...

    @property
    def learning_rate(self) -> float:
        """At its highest, after the warm-up."""
        ...

    @property
    def epochs(self) -> float:
        """Passes over the rows."""
        ...

    @property
    def save_every(self) -> int:
        """Steps between two checkpoints."""
        ...

    @property
    def seed(self) -> int:
        """Of the weights that are drawn, and of the order of the rows."""
        ...


def trainer_settings(run: TrainerRun) -> dict[str, Any]:
    """Fields of `TrainingArguments` and of trl's configurations, for the machine that this is."""
    torch: Any = import_module("torch")
    on_gpu = bool(torch.cuda.is_available())
    return {
        "output_dir": str(run.directory / "checkpoints"),
        "per_device_train_batch_size": run.rows,
        "learning_rate": run.learning_rate,
        "num_train_epochs": run.epochs,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.05,  # below 1: a share of all steps
        "logging_steps": 5,
        "save_steps": run.save_every,
        "save_total_limit": 1,
        "seed": run.seed,
        "data_seed": run.seed,
        "bf16": on_gpu,
        "use_cpu": not on_gpu,
        "report_to": "none",
        "dataloader_pin_memory": on_gpu,
    }


def lora_settings(rank: int, alpha: int) -> Any:
    """An adapter on every linear layer: `rank` columns, scaled by alpha / rank."""
    peft: Any = import_module("peft")
    return peft.LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def last_checkpoint(run: TrainerRun) -> Path | None:
    """The newest whole checkpoint of the run."""
    found = [path.parent for path in run.directory.glob("checkpoints/checkpoint-*/trainer_state.json")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
