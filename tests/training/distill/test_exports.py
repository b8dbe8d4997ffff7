"""Datasets in the formats that others train from, with their card."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adaptive_reasoner.training.distill.card import card_text, fingerprint_of, write_dataset
from adaptive_reasoner.training.distill.dataset import Candidate, DatasetConfig, build_dataset
from adaptive_reasoner.training.distill.examples import DistillExample, read_split
from adaptive_reasoner.training.distill.exports import hugging_face_rows, openai_rows, write_export

EASY = DistillExample(question="2 + 3?", answer="5", rationale="2 + 3 = 5", order="answer_first")
HARD = DistillExample(question="7 * 6?", answer="42", rationale="7 * 6 = 42", weight=2.0)


def test_openai_lines_hold_one_exchange_and_hard_ones_come_again() -> None:
    easy, *hard = openai_rows([EASY, HARD], "adaptive")
    assert easy["messages"] == [
        {"role": "user", "content": "2 + 3?"},
        {"role": "assistant", "content": "Answer: 5\n\nBecause: 2 + 3 = 5"},
    ]
    assert [row["messages"][1]["content"] for row in hard] == ["7 * 6 = 42\n\nAnswer: 42"] * 2


def test_hugging_face_rows_hold_prompt_completion_and_weight() -> None:
    easy, hard = hugging_face_rows([EASY, HARD], "adaptive")
    assert easy["completion"][0]["content"] == "Answer: 5\nBecause: 2 + 3 = 5"
    assert hard["completion"][0]["content"] == "<think>\n7 * 6 = 42\n</think>\nAnswer: 42"
    assert hard["messages"] == hard["prompt"] + hard["completion"]
    assert [easy["weight"], hard["weight"]] == [1.0, 2.0]
    assert [easy["order"], hard["order"]] == ["answer_first", "think_first"]


@pytest.mark.parametrize("order", ["think_first", "answer_first"])
def test_one_order_holds_for_all(order: str) -> None:
    rows = hugging_face_rows([EASY, HARD], order)  # pyright: ignore[reportArgumentType]
    assert {row["order"] for row in rows} == {order}


def test_parquet_holds_the_same_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra `traces`")
    write_export(tmp_path / "train.parquet", [EASY, HARD], "adaptive", "parquet")
    assert parquet.read_table(tmp_path / "train.parquet").to_pylist() == hugging_face_rows(
        [EASY, HARD], "adaptive"
    )


def test_a_dataset_is_written_whole_with_its_card(tmp_path: Path) -> None:
    given = [
        Candidate(question=f"{n} + 3?", answer=str(n + 3), rationale=f"{n} + 3 = {n + 3}", source="teacher:t",
                  reference=str(n + 3 if n else 0), first_answer=str(n + 3 - n % 2))
        for n in range(40)
    ]  # fmt: skip
    made = build_dataset(given, DatasetConfig(calibration=30.0, test=0.0))
    card = write_dataset(tmp_path / "data", made, formats=["openai", "hugging_face"], licence="CC0")
    assert card == json.loads((tmp_path / "data" / "card.json").read_text())
    assert (card["candidates"], card["examples"], card["drops"]) == (40, 39, {"wrong": 1})
    assert card["verified"] == 39
    assert card["reasons"] == {"disagreement": 20}
    assert card["weights"] == {"1": 19, "2": 20}
    assert card["sources"] == {"teacher:t": 39}
    assert card["fingerprint"] == fingerprint_of(made.examples)
    assert read_split(tmp_path / "data", "train") == made.split("train")
    names = {path.name for path in (tmp_path / "data" / "exports").iterdir()}
    assert {"openai.adaptive.train.jsonl", "hugging_face.think_first.calibration.jsonl"} <= names
    assert "Licence: CC0." in (tmp_path / "data" / "README.md").read_text()


def test_a_fingerprint_knows_content_and_not_order() -> None:
    assert fingerprint_of([EASY, HARD]) == fingerprint_of([HARD, EASY])
    assert fingerprint_of([EASY]) != fingerprint_of([replace(EASY, answer="6")])


def test_a_card_without_drops_has_no_table_of_them() -> None:
    made = build_dataset([], DatasetConfig())
    from adaptive_reasoner.training.distill.card import make_card

    assert "left out" not in card_text(make_card(made))
