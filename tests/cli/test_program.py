"""The program as a shell starts it."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adaptive_reasoner.cli import main
from adaptive_reasoner.cli.app import app


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "adaptive_reasoner", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_version() -> None:
    done = _run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("adaptive-reasoner 0.")


def test_bad_flag_leaves_one_line_on_stderr_and_exit_code_2() -> None:
    done = _run("ask", "x", "--nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("adaptive-reasoner: No such option: --nope")
    assert done.stderr.count("\n") == 1


def test_a_group_without_a_command_shows_its_commands_and_says_so() -> None:
    done = _run("train")
    assert done.returncode == 2
    assert "flywheel" in done.stdout
    assert (
        done.stderr == "adaptive-reasoner: Name one of its commands. See `adaptive-reasoner train --help`.\n"
    )


def test_a_wrong_choice_is_said_without_the_parsers_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "x", "--answer-order", "backwards"]) == 2
    assert "'--answer-order': 'backwards' is not one of 'think_first'" in capsys.readouterr().err
    assert main(["ask", "What", "is"]) == 2
    assert "put a text with spaces in quotes. See" in capsys.readouterr().err
    assert main(["aks"]) == 2
    assert "Did you mean 'ask'? See" in capsys.readouterr().err


def test_help_does_not_load_the_model_stack() -> None:
    code = (
        "import json, sys\n"
        "from adaptive_reasoner.cli import main\n"
        "main(['ask', '--help'])\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"langchain_core", "langgraph", "numpy", "openai", "tiktoken"} & set(json.loads(done.stderr))


@pytest.mark.parametrize(
    "arguments", [[], ["ask"], ["chat"], ["train"], ["train", "embedded"], ["doctor"]], ids=" ".join
)
def test_every_help_has_an_example(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, [*arguments, "--help"])
    assert done.exit_code == 0
    assert "Example: adaptive-reasoner" in done.stdout


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Usage: adaptive-reasoner" in capsys.readouterr().out


def test_interruption_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupt)
    assert main(["chat"]) == 130


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_training_without_torch_names_the_extra(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["train", "embedded", "--directory", str(tmp_path)]) == 2
    assert 'the extra "train"' in capsys.readouterr().err
