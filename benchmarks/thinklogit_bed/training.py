"""Trains one model of the bed and leaves it as a Hugging Face folder; goes on where an earlier run stopped."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from thinklogit_bed.texts import Mix, draw
from torch import Tensor

from adaptive_reasoner.training.embedded.batches import BatchStream
from adaptive_reasoner.training.embedded.config import StageConfig, TrainConfig
from adaptive_reasoner.training.embedded.examples import MixtureConfig
from adaptive_reasoner.training.embedded.export import export, load_exported
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig
from adaptive_reasoner.training.embedded.stage import StageRun
from adaptive_reasoner.training.hugging_face import to_hugging_face
from adaptive_reasoner.training.hugging_face_tokenizer import PAD, hugging_face_tokenizer

WEIGHTS = "weights"
"""Folder inside a model's folder that keeps model.npz, the log and the checkpoint."""
# From this width on, bfloat16 pays.
_WIDE = 128


class FullPrecision(Decoder):
    """A decoder whose blocks ignore autocast: at these sizes, casting costs more than it saves (about 1.5 times)."""

    def forward(self, ids: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """As the decoder does, in float32."""
        with torch.autocast("cpu", enabled=False):
            return super().forward(ids, positions, mask)


@dataclass(frozen=True, slots=True)
class Lesson:
    """How one model comes about.

    Attributes:
        folder: receives it.
        start: folder with a model.npz to go on from, or the sizes of a new model.
        mix: what it is taught.
        steps: of the optimizer; the rate falls to 0 with them.
        peak: multiplies the ordinary recipe's learning rates.
        seed: of weights and examples.
        problems: a step.
    """

    folder: Path
    start: Path | ModelConfig
    mix: Mix
    steps: int
    peak: float
    seed: int
    problems: int = 32


def teach(lesson: Lesson) -> None:
    """Train a model, unless its folder is whole already."""
    if (lesson.folder / "tokenizer.json").is_file():
        return
    weights = lesson.folder / WEIGHTS
    weights.mkdir(parents=True, exist_ok=True)
    name = "/".join(lesson.folder.parts[-3:])
    torch.manual_seed(lesson.seed)
    model = _opened(lesson.start)
    stage = StageConfig(
        name.replace("/", "-"),
        minutes=0,
        steps=lesson.steps,
        peak=lesson.peak,
        warmup_steps=min(60, lesson.steps // 5),
    )
    config = TrainConfig(weights, seed=lesson.seed, processes=1, compile=False)
    pool = MixtureConfig(problems_per_batch=lesson.problems)
    stream = BatchStream(partial(draw, mix=lesson.mix), pool, f"{lesson.seed}:{name}")
    run = StageRun(config, stage, model, stream)
    run.run(lambda _: None)
    told = {"steps": run.tally.step, "tokens": run.tally.tokens, "minutes": run.tally.seconds / 60}
    export(model, weights, {"seed": lesson.seed, "mix": str(lesson.mix), **told})
    publish(weights, lesson.folder)


def _opened(start: Path | ModelConfig) -> Decoder:
    if isinstance(start, ModelConfig):
        return FullPrecision(start)
    model = load_exported(start)
    if model.config.d_model >= _WIDE:
        return model
    narrow = FullPrecision(model.config)
    narrow.load_state_dict(model.state_dict())
    return narrow


def publish(weights: Path, folder: Path) -> None:
    """Write exported weights as a Hugging Face folder, the tokenizer last."""
    to_hugging_face(weights, folder)
    tokenizer = hugging_face_tokenizer()
    _name_special_tokens(folder, tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(PAD))
    tokenizer.save_pretrained(folder)


def _name_special_tokens(folder: Path, end: int, pad: int) -> None:
    from transformers import GenerationConfig

    settings = GenerationConfig(eos_token_id=end, pad_token_id=pad)
    settings.save_pretrained(folder)
