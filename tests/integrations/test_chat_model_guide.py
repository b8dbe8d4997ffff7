"""Every block of the guide runs as it stands, one after the other."""

import re


def test_the_guide_runs(repository, shipped_weights):
    text = (repository / "docs" / "chat-model.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/chat-model.md", "exec"), names)
    assert len(blocks) == 4
