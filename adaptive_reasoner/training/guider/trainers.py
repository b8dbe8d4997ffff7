"""trl's trainers on a guider: DPO on pairs, or SFT on right answers, both through LoRA."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from adaptive_reasoner.training.drawing import Drawer
from adaptive_reasoner.training.guider.config import GuiderConfig
from adaptive_reasoner.training.guider.pairs import Pair
from adaptive_reasoner.training.guider.sample import Sample
from adaptive_reasoner.training.ibpo.task import Task
from adaptive_reasoner.training.trainer_runs import lora_settings, trainer_settings

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
        peft_config=lora_settings(config.rank, config.rank),
        callbacks=list(callbacks),
    )


def _settings(config: GuiderConfig) -> Mapping[str, Any]:
    settings = trainer_settings(config)
    return {**settings, "max_length": None, "gradient_checkpointing": not settings["use_cpu"]}
