"""docs/flywheel.md: its Python blocks run, and its commands exist."""

import re

from adaptive_reasoner.cli import main


def _text(repository):
    return (repository / "docs" / "flywheel.md").read_text(encoding="utf-8")


def test_the_guides_blocks_run(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", _text(repository), re.DOTALL):
        exec(compile(block, "docs/flywheel.md", "exec"), names)
    assert names["reply"].resume["action"] == "mark_step"


def test_the_guides_commands_are_understood(repository, capsys):
    for line in re.findall(r"^adaptive-reasoner (.*?)(?:\s+#.*)?$", _text(repository), re.MULTILINE):
        words = line.split()
        assert main([*words[:2], "--help"]) == 0
        shown = capsys.readouterr().out
        assert {word for word in words if word.startswith("--") and word not in shown} == set()
