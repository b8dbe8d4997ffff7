"""`adaptive-reasoner train ibpo` refuses what it cannot train on, before it starts."""

from pathlib import Path

import pytest

from adaptive_reasoner.cli import main

pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("accelerate", reason="training needs the extra `train`")

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tasks", "tasks.jsonl"], "--tasks belongs to --model"),
        (["--model", "nowhere"], "--model needs --tasks"),
        (["--model", "nowhere", "--tasks", "nothing.jsonl"], "no task file"),
        (["--weights", "nowhere"], "holds no model.npz"),
        (["--share", "120"], "less than or equal to 100"),
    ],
)
def test_a_wrong_call_says_what_is_missing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert main(["train", "ibpo", "--directory", str(folder), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not folder.exists()
