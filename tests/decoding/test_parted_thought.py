"""Thought and answer are parted while they are written, also where the mark is several tokens."""

import pytest

pytest.importorskip("torch", reason="local models need the extra `local`")
pytest.importorskip("transformers", reason="local models need the extra `local`")

from adaptive_reasoner.decoding.parted_thought import part_thought
from adaptive_reasoner.decoding.written_text import WrittenToken

pytestmark = pytest.mark.train


def parted(*texts: str) -> list[tuple[str, str]]:
    tokens = [WrittenToken(text, None, ()) for text in texts]
    return [(kind, token.text) for kind, token in part_thought(tokens, "</think>")]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("a", " b", "</think>", "c"), [("reasoning", "a"), ("reasoning", " b"), ("text", "c")]),
        (("a", "</", "thi", "nk>", "c"), [("reasoning", "a"), ("text", "c")]),
        (("a</think>c", "d"), [("reasoning", "a"), ("text", "c"), ("text", "d")]),
        (("a <", " b"), [("reasoning", "a <"), ("reasoning", " b")]),
        (("a", "</thi"), [("reasoning", "a"), ("reasoning", "</thi")]),
        (("</think>", "c", "</think>"), [("text", "c"), ("text", "</think>")]),
    ],
)
def test_parts(texts: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert parted(*texts) == expected
