"""docs/traces.md: its Python blocks run, one after the other, and its commands exist."""

import re

from adaptive_reasoner.cli import main
from adaptive_reasoner.traces.runs import load_runs


def test_the_guides_blocks_run(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (repository / "docs" / "traces.md").read_text(encoding="utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "docs/traces.md", "exec"), names)
    assert load_runs("sqlite:///runs.sqlite").runs[0].correct is True


def test_the_guides_commands_are_understood(repository, capsys):
    text = (repository / "docs" / "traces.md").read_text(encoding="utf-8")
    for line in re.findall(r"^adaptive-reasoner (.*?)(?:\s+#.*)?$", text, re.MULTILINE):
        words = line.split()
        options = {word for word in words if word.startswith("--")}
        command = words[:2] if words[0] == "traces" else words[:1]
        assert main([*command, "--help"]) == 0
        shown = capsys.readouterr().out
        assert {option for option in options if option not in shown} == set()
