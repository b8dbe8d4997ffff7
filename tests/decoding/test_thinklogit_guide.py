"""The guide's blocks and command run as they stand, beside tiny models under the names that it uses."""

import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="local models need the extra `local`")
pytest.importorskip("transformers", reason="local models need the extra `local`")

from tiny_folders import letter_tokenizer, save_folder  # noqa: E402
from tiny_models import tiny_llama  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from adaptive_reasoner.cli.app import app  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("target", "guider", "guider-base", "student")):
        save_folder(tmp_path / "models" / name, seed)
    return tmp_path / "models"


def test_every_block_runs(repository: Path, models: Path) -> None:
    text = (repository / "docs" / "thinklogit.md").read_text(encoding="utf-8")
    letters = [chr(code) for code in range(32, 75)]
    tokenizer = letter_tokenizer(letters)
    namespace: dict[str, Any] = {
        "target": tiny_llama(1), "expert": tiny_llama(2), "base": tiny_llama(3), "tokenizer": tokenizer,
        "prompts": ["2+2", "ABC"],
    }  # fmt: skip
    for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        exec(compile(block.replace("8192", "8"), "thinklogit.md", "exec"), namespace)
    found = namespace["graph"].invoke({"messages": [("user", "2+2?")]}, context={"thinking": "on"})
    assert found["reasoning"]["rounds"][0]["node"] == "deep_think"


def test_the_command_asks_the_guided_model(models: Path) -> None:
    pair = "models/target,models/guider,models/guider-base,alpha=0.75"
    words = [
        "ask",
        "--fast",
        "local:models/target",
        "--deep",
        f"guided:{pair}",
        "--thinking",
        "on",
        "--json",
        "2+2?",
    ]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert '"deep_think"' in found.output
