"""Distillation into a tiny Llama made on the spot: both orders, weights, adapters, resuming, several processes."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
for needed in ("transformers", "tokenizers", "accelerate", "peft", "matplotlib"):
    pytest.importorskip(needed, reason="training needs the extra `train`")

from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError  # noqa: E402
from adaptive_reasoner.training.distill.directory import (  # noqa: E402
    DirectoryStudentConfig,
    train_directory_student,
)
from adaptive_reasoner.training.distill.directory_perception import answer_in_order  # noqa: E402
from adaptive_reasoner.training.distill.directory_rows import (  # noqa: E402
    Collator,
    training_rows,
    weighted_loss,
)
from adaptive_reasoner.training.drawing import Drawer  # noqa: E402

pytestmark = [
    pytest.mark.train,
    # peft asks transformers by a name that transformers renamed.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]


@pytest.fixture(scope="module")
def untaught(tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[Path], Path]) -> Path:
    return tiny_model(tmp_path_factory.mktemp("untaught"))


def config(model: Path, data: Path, directory: Path, **changes: Any) -> DirectoryStudentConfig:
    settings: dict[str, Any] = {
        "model": str(model), "data": data, "directory": directory, "epochs": 3.0, "rows": 16, "learning_rate": 1e-2,
        "answer_tokens": 8, "think_tokens": 12, "perceived": 12, "save_every": 10,
    }  # fmt: skip
    return DirectoryStudentConfig(**{**settings, **changes})


def drawer_of(folder: Path) -> Drawer:
    return Drawer(AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))


def weights_of(folder: Path) -> dict[str, Any]:
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def test_a_student_learns_both_orders(untaught: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    settings = config(untaught, tiny_dataset, tmp_path / "student", epochs=20.0)
    folder = train_directory_student(settings)
    drawer = drawer_of(folder)
    assert answer_in_order(drawer, settings.texts, "copy 7", "answer_first", 8) == (
        "7",
        3,
    )  # "Answer: 7 Because:"
    assert answer_in_order(drawer, settings.texts, "copy 7", "think_first", 12)[0] == "7"
    about = json.loads((folder / "student.json").read_text())
    assert about["perception"]["kind"] == "head"
    assert len(about["perception"]["weights"]) == 32
    assert (folder / "curves.png").stat().st_size > 1000
    losses = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert losses[0]["loss"] > 4 * losses[-2]["loss"]


def test_a_run_that_was_stopped_ends_at_the_same_weights(
    untaught: Path, tiny_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = {"orders": ("think_first",), "lora_rank": 4}
    whole = train_directory_student(config(untaught, tiny_dataset, tmp_path / "whole", **orders))
    stopped = config(untaught, tiny_dataset, tmp_path / "stopped", **orders)
    from transformers import Trainer

    take_step = Trainer.training_step

    def die_in_step_12(trainer: Any, *given: Any, **named: Any) -> Any:
        if trainer.state.global_step == 11:
            raise KeyboardInterrupt
        return take_step(trainer, *given, **named)

    monkeypatch.setattr(Trainer, "training_step", die_in_step_12)
    with pytest.raises(KeyboardInterrupt):
        train_directory_student(stopped)
    monkeypatch.undo()
    resumed = train_directory_student(stopped)
    left, right = weights_of(whole), weights_of(resumed)
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_an_adapter_is_merged_into_the_student(untaught: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    settings = config(
        untaught, tiny_dataset, tmp_path / "s", lora_rank=4, orders=("answer_first",), epochs=1.0
    )
    folder = train_directory_student(settings)
    before, after = weights_of(untaught), weights_of(folder)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("proj" in name for name in changed)
    assert "perception" not in json.loads((folder / "student.json").read_text())


def test_a_soft_prompt_is_fitted_beside_the_student(
    untaught: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    settings = config(
        untaught, tiny_dataset, tmp_path / "s", epochs=1.0, perception="soft_prompt", soft_tokens=4
    )
    folder = train_directory_student(settings)
    assert json.loads((folder / "student.json").read_text())["perception"]["kind"] == "soft_prompt"
    assert (folder / "perception" / "adapter_config.json").is_file()


def test_a_row_learns_what_comes_after_the_tag(
    untaught: Path, tiny_dataset: Path, tmp_path: Path, worked: dict[str, Any]
) -> None:
    drawer, settings = drawer_of(untaught), config(untaught, tiny_dataset, tmp_path)
    think, answer = training_rows(drawer, [worked["sum"](1, 2)], settings)
    shown = [
        drawer.tokenizer.decode([token for token in row.labels if token >= 0]) for row in (think, answer)
    ]
    assert shown[0] == "1 + 2 = 3 </think> Answer: 3 <eos>"
    assert shown[1] == "Answer: 3 Because: 1 + 2 = 3 <eos>"
    assert drawer.tokenizer.decode(think.ids[: -len(shown[0].split())]) == "add 1 2 <think>"
    assert (think.weight, answer.weight) == (2.0, 2.0)
    plain = training_rows(drawer, [worked["sum"](1, 2)], replace(settings, weighted=False))
    assert [row.weight for row in plain] == [1.0, 1.0]


def test_the_loss_is_the_weighted_mean_over_learned_tokens() -> None:
    batch = Collator(0)(
        [
            {"ids": [3, 1], "labels": [-100, 1], "weight": 3.0},
            {"ids": [3, 1, 2], "labels": [-100, 1, 2], "weight": 1.0},
        ]
    )
    logits = torch.zeros(2, 3, 4)
    logits[0, 0, 1] = math.log(3.0)  # p = 1/2 of the first row's only target; elsewhere 1/4
    loss = weighted_loss({"logits": logits}, batch["labels"])
    assert float(loss) == pytest.approx((3 * math.log(2) + 2 * math.log(4)) / 5)
    assert batch["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]


def test_rows_that_are_too_long_are_left_out(
    untaught: Path, tiny_dataset: Path, tmp_path: Path, worked: dict[str, Any]
) -> None:
    settings = config(untaught, tiny_dataset, tmp_path, max_length=9)
    rows = training_rows(drawer_of(untaught), [worked["copy"](1), worked["sum"](1, 2)], settings)
    assert len(rows) == 2
    with pytest.raises(InvalidInputError, match="max_length"):
        training_rows(drawer_of(untaught), [worked["copy"](1)], replace(settings, max_length=3))


def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    untaught: Path, tiny_dataset: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "student"
    with pytest.raises(ConfigurationError, match="no model folder"):
        train_directory_student(config(tmp_path / "nowhere", tiny_dataset, directory))
    with pytest.raises(InvalidInputError, match=r"holds no train\.jsonl"):
        train_directory_student(config(untaught, tmp_path, directory))
    with pytest.raises(ConfigurationError, match="perception"):
        config(untaught, tiny_dataset, directory, perception="guess")
    assert not directory.exists()


def test_a_directory_of_another_run_is_refused(untaught: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    orders = {"orders": ("answer_first",), "epochs": 0.2}
    train_directory_student(config(untaught, tiny_dataset, tmp_path, **orders))
    with pytest.raises(ConfigurationError, match=r"another run \(other learning_rate"):
        train_directory_student(config(untaught, tiny_dataset, tmp_path, learning_rate=0.1, **orders))


def test_two_processes_train_together(untaught: Path, tiny_dataset: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m",
        "adaptive_reasoner", "train", "distill", str(tiny_dataset), "--model", str(untaught), "--directory",
        str(tmp_path / "student"), "--learning-rate", "0.01", "--orders", "answer_first", "--json",
    ]  # fmt: skip
    # What `accelerate launch` starts on GPUs; on a CPU it would want MPI.
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    state = json.loads(next((tmp_path / "student" / "checkpoints").glob("*/trainer_state.json")).read_text())
    assert state["global_step"] == 3  # 65 rows, 2 processes of 16
    assert (tmp_path / "student" / "student.json").is_file()
