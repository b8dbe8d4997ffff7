"""Thoughts and rationales are parted from the answer while it streams, wherever the pieces are cut."""

import pytest

from adaptive_reasoner.thinking.thought_stream import ThoughtStream


def parts_of(text, size, **options):
    stream, found = ThoughtStream(**options), {}
    cuts = [text[start : start + size] for start in range(0, len(text), size)]
    for part, piece in [*(one for cut in cuts for one in stream.add(cut)), *stream.finish()]:
        found[part] = found.get(part, "") + piece
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
@pytest.mark.parametrize(
    ("text", "options", "parts"),
    [
        ("<think>\nHm, two.\n</think>\n\nIt is 4", {}, {"thought": "Hm, two.", "answer": "It is 4"}),
        ("[THINK]a b[/THINK] 4", {}, {"thought": "a b", "answer": "4"}),
        ("<|channel>thought Hm<channel|>4", {}, {"thought": "Hm", "answer": "4"}),
        ("Here is my thought process: Hm. Here is my response: 4", {}, {"thought": "Hm.", "answer": "4"}),
        (
            "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>4",
            {},
            {"thought": "Hm", "answer": "4"},
        ),
        ("<think>Hm", {}, {"thought": "Hm"}),
        ("It <think> is 4\n\nokay ", {}, {"answer": "It <think> is 4\n\nokay "}),
        ("<table>", {}, {"answer": "<table>"}),
        ("4\nBecause: 2 + 2 = 4.\n So.", {"has_rationale": True}, {"answer": "4", "rationale": "2 + 2 = 4.\n So."}),
        ("A: 4\n\n**Because:**\n2 + 2 = 4", {"has_rationale": True}, {"answer": "A: 4", "rationale": "2 + 2 = 4"}),
        ("A: 4\nBecause: two", {}, {"answer": "A: 4\nBecause: two"}),
        ("Hi\nbe cool\n", {"has_rationale": True}, {"answer": "Hi\nbe cool\n"}),
        ("Hm two\n</think>\n\n4", {"is_opened": True}, {"thought": "Hm two", "answer": "4"}),
        ("just 4", {"is_opened": True}, {"answer": "just 4"}),
    ],
)  # fmt: skip
def test_every_part_comes_whole_however_the_text_is_cut(text, size, options, parts):
    assert parts_of(text, size, **options) == parts


def test_thoughts_and_answer_come_as_soon_as_they_are_certain():
    stream = ThoughtStream()
    assert list(stream.add("<think>one")) == [("thought", "one")]
    assert list(stream.add(" two </thi")) == [("thought", " two")]
    assert list(stream.add("nk>\n4")) == [("answer", "4")]
    assert list(stream.add("2")) == [("answer", "2")]
