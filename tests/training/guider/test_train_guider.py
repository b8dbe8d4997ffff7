"""DPO and SFT on a tiny Llama made on the spot: it learns to prefer right answers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
transformers = pytest.importorskip("transformers", reason="training needs the extra `train`")
for needed in ("accelerate", "peft", "trl", "matplotlib"):
    pytest.importorskip(needed, reason="training needs the extra `train`")

from tiny_guiders import GUIDER, TARGET, taught, tiny_tokenizer  # noqa: E402

from adaptive_reasoner.cli import main  # noqa: E402
from adaptive_reasoner.errors import ConfigurationError, InvalidInputError  # noqa: E402
from adaptive_reasoner.training.guider.config import GuiderConfig, SamplingConfig  # noqa: E402
from adaptive_reasoner.training.guider.curves import JsonLines  # noqa: E402
from adaptive_reasoner.training.guider.train import train_guider  # noqa: E402

pytestmark = [
    pytest.mark.train,
    # peft and trl speak of their own future.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """(target, guider) folders."""
    folder = tmp_path_factory.mktemp("models")
    return taught(folder / "target", TARGET), taught(folder / "guider", GUIDER)


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    lines = [{"prompt": "red", "answer": 1}, {"prompt": "blue", "answer": "2"}] * 12
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def config(models: tuple[str, str], tasks: Path, name: str = "tuned", **changes: Any) -> GuiderConfig:
    sampling = SamplingConfig(
        tasks=tasks, guider=models[1], target=models[0], directory=tasks.parent / "samples",
        samples=4, max_tokens=6, prompts_a_chunk=10,
    )  # fmt: skip
    settings: dict[str, Any] = {
        "sampling": sampling, "directory": tasks.parent / name, "learning_rate": 5e-3, "rows": 4, "epochs": 6,
        "rank": 8, "save_every": 5,
    }  # fmt: skip
    return GuiderConfig(**{**settings, **changes})


def preference(folder: Path | str, text: str, right: str, wrong: str) -> float:
    """Share of the right word among the two, after a text."""
    good, bad = (probability(folder, f"{text} {word}") for word in (right, wrong))
    return good / (good + bad)


def probability(folder: Path | str, text: str) -> float:
    """Of the last word of a text, in a model folder."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor([tiny_tokenizer().encode(text)])
    with torch.no_grad():
        return float(model(ids).logits[0, -2].softmax(-1)[ids[0, -1]])


def test_a_guider_learns_to_prefer_right_answers(models: tuple[str, str], tasks: Path) -> None:
    assert 0.4 < preference(models[1], "red so Answer:", "1", "3") < 0.6
    folder = train_guider(config(models, tasks, sources="guider"))
    assert preference(folder, "red so Answer:", "1", "3") > 0.9
    assert preference(folder, "blue so Answer:", "2", "3") > 0.9
    account = json.loads((folder / "guider.json").read_text())
    assert account["objective"] == "dpo"
    assert 0.2 < account["right"]["guider"] < 0.8
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert any("rewards/accuracies" in entry for entry in entries)
    assert (folder / "curves.png").stat().st_size > 1000
    assert (folder / "adapter" / "adapter_config.json").is_file()


def test_mixed_pairs_and_sft_share_the_samples(models: tuple[str, str], tasks: Path) -> None:
    mixed = train_guider(config(models, tasks, "mixed", epochs=1))
    written = {path: path.stat().st_mtime_ns for path in (tasks.parent / "samples").rglob("*.jsonl")}
    assert len(written) == 6  # 24 prompts in chunks of 10, of two models
    imitated = train_guider(config(models, tasks, "sft", objective="sft"))
    assert written == {path: path.stat().st_mtime_ns for path in (tasks.parent / "samples").rglob("*.jsonl")}
    account = json.loads((mixed / "guider.json").read_text())
    assert account["rows"] % 2 == 0
    assert set(account["right"]) == {"target", "guider"}
    # Only the target answers without a thought: the guider learned that from it.
    assert probability(imitated, "red Answer:") > probability(models[1], "red Answer:") + 0.1


def test_a_run_that_stopped_goes_on_to_the_same_weights(
    models: tuple[str, str], tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_guider(config(models, tasks, "whole"))
    real = JsonLines.on_log

    def stop_at_ten(self: Any, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        real(self, args, state, control, logs, **kwargs)
        if state.global_step >= 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(JsonLines, "on_log", stop_at_ten)
    with pytest.raises(KeyboardInterrupt):
        train_guider(config(models, tasks, "stopped"))
    monkeypatch.undo()
    assert not (tasks.parent / "stopped" / "model.safetensors").exists()
    stopped = train_guider(config(models, tasks, "stopped"))
    one, other = (transformers.AutoModelForCausalLM.from_pretrained(f).state_dict() for f in (whole, stopped))
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
# The way that takes several GPUs starts processes on a CPU, too; what accelerate does on CPUs of itself wants MPI.
ACCELERATE = [
    "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--main_process_port",
    "0", "--mixed_precision", "no", "--dynamo_backend", "no",
]  # fmt: skip


@pytest.mark.parametrize("launcher", [TORCHRUN, ACCELERATE], ids=["torchrun", "accelerate"])
def test_two_processes_draw_the_same_samples_and_train_together(
    models: tuple[str, str], tasks: Path, launcher: list[str]
) -> None:
    train_guider(config(models, tasks, "alone", epochs=1))
    command = [
        sys.executable, "-m", *launcher, "-m", "adaptive_reasoner", "train", "guider", str(tasks),
        "--guider", models[1], "--target", models[0],
        "--samples", "4", "--max-tokens", "6", "--directory", str(tasks.parent / "both"), "--rows", "2", "--rank", "8",
        "--learning-rate", "0.01",
    ]  # fmt: skip
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    launched = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        _, told = launched.communicate(timeout=600)
    finally:
        launched.terminate()  # asked to end, a launcher ends its processes; killed, it leaves them behind
    assert launched.returncode == 0, told[-2000:]
    account = json.loads((tasks.parent / "both" / "guider.json").read_text())
    assert account["processes"] == 2
    alone = json.loads((tasks.parent / "alone" / "guider.json").read_text())
    assert account["rows"] > 0
    assert abs(account["steps"] - alone["steps"]) <= 2  # two processes of 2 rows for one of 4


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"guider": "nowhere/at/all"}, ConfigurationError, "no model folder"),
        ({"target": None}, ConfigurationError, "need the target's answers"),
        ({"answer_column": "solution"}, InvalidInputError, '"solution"'),
        ({"temperature": 0.0}, ConfigurationError, "temperature"),
        ({"alpha": float("nan")}, ConfigurationError, "alpha"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    models: tuple[str, str], tasks: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"tasks": tasks, "guider": models[1], "target": models[0], "directory": tasks.parent / "samples"}
    with pytest.raises(error, match=message):
        train_guider(_config_of({**given, **changes}, tasks))
    assert [path.name for path in tasks.parent.iterdir()] == ["tasks.jsonl"]


def test_another_runs_directory_is_refused(models: tuple[str, str], tasks: Path) -> None:
    train_guider(config(models, tasks, epochs=1))
    with pytest.raises(ConfigurationError, match=r"another run \(other beta\)"):
        train_guider(config(models, tasks, epochs=1, beta=0.5))
    given = {"tasks": tasks, "guider": models[1], "target": models[0], "directory": tasks.parent / "samples"}
    with pytest.raises(ConfigurationError, match="samples of another run"):
        train_guider(_config_of(given, tasks))


def _config_of(sampling: dict[str, Any], tasks: Path) -> GuiderConfig:
    return GuiderConfig(sampling=SamplingConfig(**sampling), directory=tasks.parent / "other")


def test_the_command_names_what_is_wrong(tasks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "train",
        "guider",
        str(tasks),
        "--directory",
        str(tasks.parent / "out"),
        "--guider",
        "./nowhere",
    ]
    assert main([*arguments, "--sources", "guider"]) == 2
    assert "no model folder" in capsys.readouterr().err
    assert main([*arguments, "--sources", "everyone"]) == 2
    assert "use one of: mixed, target, guider" in capsys.readouterr().err
    assert not (tasks.parent / "out").exists()
