"""Worked answers become a dataset: verified, deduplicated, weighted, split without leakage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError
from adaptive_reasoner.training.distill.dataset import (
    Candidate,
    DatasetConfig,
    build_dataset,
    normal_question,
    template_of,
)
from adaptive_reasoner.training.distill.examples import DistillExample, read_examples, write_examples

ALL_TRAIN = DatasetConfig(calibration=0.0, test=0.0)


def candidate(question: str = "What is 2 + 3?", **changes: Any) -> Candidate:
    given: dict[str, Any] = {"answer": "5", "rationale": "2 + 3 = 5", "source": "teacher:t"}
    return Candidate(question=question, **{**given, **changes})


def test_an_answer_that_contradicts_its_reference_is_dropped_and_counted() -> None:
    made = build_dataset([candidate(reference="5.0"), candidate("What is 1 + 3?", reference="4")], ALL_TRAIN)
    assert [one.verified for one in made.examples] == [True]
    assert made.drops == {"wrong": 1}
    assert made.candidates == 2


def test_a_label_counts_before_the_reference() -> None:
    made = build_dataset([candidate(reference="5", correct=False)], ALL_TRAIN)
    assert made.drops == {"wrong": 1}


def test_work_whose_arithmetic_fails_is_dropped_where_nothing_else_tells() -> None:
    made = build_dataset(
        [candidate(rationale="2 + 3 = 6, so 5"), candidate("Why?", rationale="so")], ALL_TRAIN
    )
    assert made.drops == {"work_does_not_hold": 1}
    assert made.examples[0].verified is None


@pytest.mark.parametrize(
    ("changes", "drop"),
    [({"answer": " "}, "no_answer"), ({"rationale": ""}, "no_rationale")],
)
def test_what_is_no_worked_answer_is_dropped(changes: dict[str, str], drop: str) -> None:
    assert build_dataset([candidate(**changes)], ALL_TRAIN).drops == {drop: 1}


def test_unverified_answers_go_where_a_verifier_is_asked_for() -> None:
    config = DatasetConfig(calibration=0.0, test=0.0, needs_verifier=True)
    assert build_dataset([candidate()], config).drops == {"unverified": 1}


def test_of_near_duplicates_the_verified_one_stays() -> None:
    made = build_dataset([candidate(), candidate("  what is 2 + 3 ", reference="5")], ALL_TRAIN)
    assert [one.verified for one in made.examples] == [True]
    assert made.drops == {"duplicate": 1}


def test_unverified_answers_that_contradict_each_other_go_together() -> None:
    made = build_dataset([candidate(), candidate(answer="6", rationale="so 6")], ALL_TRAIN)
    assert made.examples == ()
    assert made.drops == {"conflict": 2}


def test_hard_examples_weigh_more_and_think_first() -> None:
    given = [
        candidate("a 1?", first_answer="5"),
        candidate("a 2?", first_answer="7"),
        candidate("a 3?", first_answer="7", escalated=True, refined=True),
    ]
    easy, differs, hardest = build_dataset(given, ALL_TRAIN).examples
    assert (easy.weight, easy.order, easy.reasons) == (1.0, "answer_first", ())
    assert (differs.weight, differs.order, differs.reasons) == (2.0, "think_first", ("disagreement",))
    assert hardest.weight == 3.0
    assert hardest.reasons == ("disagreement", "escalation", "refinement")


def test_splits_are_disjoint_and_near_their_shares() -> None:
    given = [candidate(f"What is {n} + 3?") for n in range(2000)]
    made = build_dataset(given, DatasetConfig(calibration=20.0, test=10.0))
    sizes = {name: len(made.split(name)) for name in ("train", "calibration", "test")}
    assert sum(sizes.values()) == 2000
    assert 340 < sizes["calibration"] < 460
    assert 150 < sizes["test"] < 250


def test_a_question_keeps_its_split_whatever_is_beside_it() -> None:
    config = DatasetConfig(calibration=50.0, test=0.0)
    alone = {
        one.question: one.split
        for n in range(20)
        for one in build_dataset([candidate(f"q {n}")], config).examples
    }
    together = build_dataset([candidate(f"q {n}") for n in range(20)], config).examples
    assert {one.question: one.split for one in together} == alone


def test_grouped_by_template_questions_that_differ_in_numbers_share_a_split() -> None:
    config = DatasetConfig(calibration=40.0, test=30.0, grouping="template")
    made = build_dataset([candidate(f"Tom has {n} pens. How many?") for n in range(50)], config)
    assert len({one.split for one in made.examples}) == 1


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  What is 2 + 3?", "what is 2 + 3"),
        ("What, exactly, is 1,000.5?", "what exactly is 1,000.5"),
        ("“Is” it: 3 * 4 = 12.", "is it 3 * 4 = 12"),
    ],
)
def test_a_normal_question_has_no_case_and_no_punctuation(text: str, normal: str) -> None:
    assert normal_question(text) == normal


def test_a_template_masks_numbers() -> None:
    assert template_of("Tom has 1,200 pens and 3.5 l.") == "tom has # pens and # l"


@pytest.mark.parametrize(
    "build",
    [
        lambda: DatasetConfig(calibration=60.0, test=60.0),
        lambda: DatasetConfig(disagreement=-1.0),
        lambda: DatasetConfig(grouping="words"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_settings_out_of_range_are_refused(build: Callable[[], DatasetConfig]) -> None:
    with pytest.raises(ConfigurationError):
        build()


def test_written_examples_are_read_back(tmp_path: Path) -> None:
    examples = [
        DistillExample(
            question="q", answer="é", rationale="r", order="answer_first", weight=1.5, reasons=("escalation",),
            verified=True, source="run:1", split="calibration",
        )
    ]  # fmt: skip
    write_examples(tmp_path / "train.jsonl", examples)
    assert read_examples(tmp_path / "train.jsonl") == examples


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ('{"question": "q", "answer": "a"}', "rationale"),
        ('{"question": " ", "answer": "a", "rationale": "r"}', "question"),
        ('{"question": "q", "answer": "a", "rationale": "r", "weight": 0}', "weight"),
        ('{"question": "q", "answer": "a", "rationale": "r", "order": "last"}', "order"),
        ("[]", "worked answer"),
    ],
)
def test_a_line_that_is_no_worked_answer_is_named(tmp_path: Path, line: str, said: str) -> None:
    good = {"question": "q", "answer": "a", "rationale": "r"}
    path = tmp_path / "given.jsonl"
    path.write_text(json.dumps(good) + "\n" + line + "\n")
    with pytest.raises(InvalidInputError, match=f"line 2.*{said}"):
        read_examples(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InvalidInputError, match="no worked answer"):
        read_examples(tmp_path / "empty.jsonl")
