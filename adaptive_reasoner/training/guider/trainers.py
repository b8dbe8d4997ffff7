"""trl's trainers on a guider: DPO on pairs, or SFT on right answers, both through LoRA."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from adaptive_reasoner.training.drawing import Drawer
from adaptive_reasoner.training.guider.config import GuiderConfig
from adaptive_reasoner.training.guider.pairs import Pair
from adaptive_reasoner.training.guider.sample import Sample
from adaptive_reasoner.training.ibpo.task import Task

Rows = list[dict[str, str]]


def preference_rows(drawer: Drawer, tasks: Sequence[Task], pairs: Sequence[Pair]) -> Rows:
    """Pairs as DPOTrainer reads them."""
    return [
        {
            "prompt": trained_prompt(drawer, tasks[pair.prompt].question),
            "chosen": pair.chosen,
            "rejected": pair.rejected,
        }
        for pair in pairs
    ]


def imitation_rows(drawer: Drawer, tasks: Sequence[Task], samples: Sequence[Sample]) -> Rows:
    """Right answers as SFTTrainer reads them."""
    return [
        {"prompt": trained_prompt(drawer, tasks[sample.prompt].question), "completion": sample.text}
        for sample in samples
    ]


def trained_prompt(drawer: Drawer, question: str) -> str:
    """The prompt's text; the trainers' tokenizer adds the first token itself where it adds any."""
    text, tokenizer = drawer.prompt_text(question), drawer.tokenizer
    added = list(tokenizer.encode(""))
    begin = tokenizer.bos_token
    return text.removeprefix(begin) if begin and tokenizer.bos_token_id in added else text


def build_trainer(config: GuiderConfig, drawer: Drawer, rows: Rows, callbacks: Sequence[Any]) -> Any:
    """A trainer of the run's objective, with its adapter in place."""
    trl: Any = import_module("trl")
    data: Any = import_module("datasets").Dataset.from_list(rows)
    lora: Any = import_module("peft").LoraConfig(
        r=config.rank,
        lora_alpha=config.rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    settings = _settings(config)
    if config.objective == "dpo":
        build, arguments = trl.DPOTrainer, trl.DPOConfig(beta=config.beta, **settings)
    else:
        build, arguments = trl.SFTTrainer, trl.SFTConfig(**settings)
    return build(
        model=drawer.model,
        args=arguments,
        train_dataset=data,
        processing_class=drawer.tokenizer,
        peft_config=lora,
        callbacks=list(callbacks),
    )


def last_checkpoint(config: GuiderConfig) -> Path | None:
    """The newest whole checkpoint of the run."""
    found = [path.parent for path in config.directory.glob("checkpoints/checkpoint-*/trainer_state.json")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _settings(config: GuiderConfig) -> Mapping[str, Any]:
    torch: Any = import_module("torch")
    on_gpu = bool(torch.cuda.is_available())
    return {
        "output_dir": str(config.directory / "checkpoints"),
        "per_device_train_batch_size": config.rows,
        "learning_rate": config.learning_rate,
        "num_train_epochs": config.epochs,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.05,
        "logging_steps": 5,
        "save_steps": config.save_every,
        "save_total_limit": 1,
        "seed": config.seed,
        "data_seed": config.seed,
        "max_length": None,
        "gradient_checkpointing": on_gpu,
        "bf16": on_gpu,
        "use_cpu": not on_gpu,
        "report_to": "none",
        "dataloader_pin_memory": on_gpu,
    }
