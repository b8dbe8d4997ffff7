"""docs/streaming.md runs as it stands."""

import re

import numpy as np
from early_cuts import SURE
from graph_ways import disbelieved, sure
from langchain_core.messages import AIMessage

from adaptive_reasoner import CalibrationExample
from adaptive_reasoner.testing import logprobs_of


def examples():
    """600 answers whose third token tells whether they are right."""
    random = np.random.default_rng(6)
    for index in range(600):
        is_right = bool(random.random() < 0.6)
        chance = random.uniform(0.85, 0.99) if is_right else random.uniform(0.2, 0.5)
        words = [("Answer", 0.99), (":", 0.99), (" 42", chance), *[(f" because{i}", 0.95) for i in range(17)]]
        tokens = [(word, p, [(f"{word}~{i}", (1 - p) / 4) for i in range(4)]) for word, p in words]
        text = "".join(word for word, _ in words)
        message = AIMessage(text, response_metadata={"logprobs": logprobs_of(tokens, top_logprobs=5)})
        yield CalibrationExample(f"q{index}", message, is_right)


def test_every_block_runs(repository, build, shipped_weights):
    page = (repository / "docs" / "streaming.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {"graph": build(disbelieved("It is 41"), sure(SURE)), "examples": list(examples())}
    for block in blocks:
        exec(compile(block, "docs/streaming.md", "exec"), names)
    assert len(blocks) == 3
    assert names["answer"] == SURE
    assert names["text"] == "Answer: 42"
    assert names["profile"].early_cut is not None
    assert names["kept_whole"].early_cut is None
