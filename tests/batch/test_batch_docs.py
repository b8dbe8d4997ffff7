"""The page about batches: its code runs."""

import re


def test_the_code_runs(repository, shipped_weights, capsys):
    page = (repository / "docs" / "batch.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(block, "docs/batch.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["1 1", "Answer: 26"]
