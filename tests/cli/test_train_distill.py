"""`adaptive-reasoner train dataset` and `train distill`: datasets out of runs, and one clear line for a wrong call."""

import json
import re
from pathlib import Path

import pytest

from adaptive_reasoner.cli import main


def a_run(run_id: str, question: str, answer: str) -> dict[str, object]:
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "reasoning_tokens": 0,
        "total_tokens": 2,
        "cost_usd": None,
    }
    signal = {
        "kind": "unknown", "risk": None, "entropy_nats": None, "covered_mass": None, "min_probability": None,
        "perplexity": None, "token_count": 0, "spans": [], "reason": None,
    }  # fmt: skip
    one = {
        "node": "deep_think",
        "verdict": "accept",
        "signal": signal,
        "usage": usage,
        "latency_seconds": 0.1,
    }
    report = {
        "route": "deep", "triage": {"gain": 0.1, "difficulty": 0.5, "source": "caller", "reason": "asked"},
        "rounds": [one], "accepted_round": 0, "signal": signal, "usage": usage, "budget": None,
        "rationale_agreement": None,
    }  # fmt: skip
    return {
        "run_id": run_id, "recorded_at": "2026-01-01T00:00:00+00:00", "question": question, "answer": answer,
        "answers": [answer], "models": ["m"], "report": report, "thread_id": None, "tenant": None, "version": "0",
    }  # fmt: skip


def test_runs_and_labels_become_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs.jsonl"
    lines = [
        a_run("a", "What is 7 * 6?", "7 * 6 = 42\nAnswer: 42"),
        a_run("b", "What is 7 * 8?", "7 * 8 = 54\nAnswer: 54"),
        {"run_id": "a", "correct": True},
        {"run_id": "b", "answer": "56"},
    ]
    runs.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "data"
    arguments = ["train", "dataset", str(out), "--runs", str(runs), "--format", "openai", "--licence", "CC0"]
    assert main([*arguments, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["examples"], card["drops"], card["verified"]) == (1, {"wrong": 1}, 1)
    assert card["licence"] == "CC0"
    kept = [line for path in out.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert json.loads(kept[0])["rationale"] == "7 * 6 = 42"
    assert (out / "exports" / "openai.adaptive.train.jsonl").is_file()


def test_a_store_is_read_by_its_url(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sqlalchemy", reason="needs the extra `traces`")
    pytest.importorskip("alembic", reason="needs the extra `traces`")
    runs = tmp_path / "runs.jsonl"
    runs.write_text(json.dumps(a_run("a", "What is 7 * 6?", "7 * 6 = 42\nAnswer: 42")) + "\n")
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    assert main(["traces", "import", str(runs), url]) == 0
    capsys.readouterr()
    assert main(["train", "dataset", str(tmp_path / "data"), "--runs", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["examples"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give one source"),
        (["--runs", "nothing.jsonl"], "nothing.jsonl"),
        (["--problems", "3", "--tasks", "tasks.jsonl"], "Give one source"),
        (["--tasks", "nothing.jsonl"], "no task file"),
        (["--runs", "x.jsonl", "--calibration", "60", "--test", "60"], "calibration"),
    ],
)
def test_a_wrong_dataset_call_says_what_is_missing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data"
    assert main(["train", "dataset", str(out), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.train
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "holds no train.jsonl"),
        (["nowhere", "--weights", "nowhere"], "holds no model.npz"),
        (["nowhere", "--model", "m", "--weights", "w"], "--weights belongs to"),
        (["nowhere", "--orders", "last_first"], "last_first"),
    ],
)
def test_a_wrong_training_call_says_what_is_missing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("torch", "transformers", "matplotlib", "accelerate", "peft"):
        pytest.importorskip(module, reason="training needs the extra `train`")
    folder = tmp_path / "student"
    assert main(["train", "distill", *arguments, "--directory", str(folder)]) == 2
    assert message in re.sub(r"\s+", " ", capsys.readouterr().err)
    assert not folder.exists()


def test_the_guides_block_runs(repository: Path) -> None:
    text = (repository / "docs" / "distillation.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "docs/distillation.md", "exec"), {})


@pytest.mark.train
def test_problems_become_a_student_that_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("torch", "matplotlib"):
        pytest.importorskip(module, reason="training needs the extra `train`")
    data, student = str(tmp_path / "data"), str(tmp_path / "student")
    assert main(["train", "dataset", data, "--problems", "12", "--calibration", "40", "--test", "0"]) == 0
    few = ["--steps", "2", "--no-compile", "--json"]
    assert main(["train", "distill", data, "--directory", student, *few]) == 0
    told = capsys.readouterr().out.strip().splitlines()[-1]
    assert json.loads(told) == {"student": student}
    assert (tmp_path / "student" / "model.npz").is_file()
