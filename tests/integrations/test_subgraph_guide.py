"""Every block of the guides to agents and subgraphs runs as it stands, in order, and prints what it promises."""

import re

import pytest


@pytest.fixture
def run_blocks(repository, shipped_weights, capsys):
    """A function that runs a guide's Python blocks in one namespace and gives the lines that they printed."""

    def run(name):
        text = (repository / "docs" / name).read_text(encoding="utf-8")
        namespace = {"__name__": "guide"}
        for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            exec(compile(block, name, "exec"), namespace)
        return capsys.readouterr().out.splitlines()

    return run


def test_subgraphs(run_blocks):
    first, second = run_blocks("subgraphs.md")
    assert first == "Answer: 42 fast"
    assert second == "{'problem': 'What is 17 + 25?', 'total': 'Answer: 42', 'done_by': 'clerk'}"


def test_agents(run_blocks):
    assert run_blocks("agents.md") == ["Answer: 42 accept", "Answer: 98 ['refine', 'accept']"]
