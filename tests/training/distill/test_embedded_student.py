"""A student of the embedded architecture: what it learns from, that it resumes, and that the graph takes it."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("matplotlib", reason="training needs the extra `train`")

from adaptive_reasoner import build_reasoning_graph  # noqa: E402
from adaptive_reasoner.embedded.problems import generate  # noqa: E402
from adaptive_reasoner.embedded.tokenizer import encoding  # noqa: E402
from adaptive_reasoner.errors import InvalidInputError  # noqa: E402
from adaptive_reasoner.models import resolve_model  # noqa: E402
from adaptive_reasoner.training.distill.config import SIZES, StudentConfig  # noqa: E402
from adaptive_reasoner.training.distill.dataset import DatasetConfig, build_dataset  # noqa: E402
from adaptive_reasoner.training.distill.embedded_student import (  # noqa: E402
    render_example,
    train_student,
    usable_examples,
)
from adaptive_reasoner.training.distill.embedded_teacher import SHIPPED, ask_embedded  # noqa: E402
from adaptive_reasoner.training.distill.examples import DistillExample, write_examples  # noqa: E402
from adaptive_reasoner.training.embedded.model import Decoder  # noqa: E402

pytestmark = pytest.mark.train

EXAMPLE = DistillExample(question="What is 2 + 3?", answer="5", rationale="work: a: 2 + 3 = 5.", weight=2.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for split in ("train", "calibration"):
        problems = generate(split, 24, seed=3, level=1)
        write_examples(
            folder / f"{split}.jsonl",
            [
                DistillExample(
                    question=one.question, answer=str(one.answer), rationale=f"work: {one.answer}."
                )
                for one in problems
            ],
        )
    return folder


def config(data: Path, directory: Path, **changes: Any) -> StudentConfig:
    settings: dict[str, Any] = {"steps": 4, "batch": 4, "compile": False, "perceived": 24}
    return StudentConfig(data=data, directory=directory, **{**settings, **changes})


def test_the_smallest_student_has_fewer_than_three_hundred_thousand_weights() -> None:
    assert sum(one.numel() for one in Decoder(SIZES["small"]).parameters()) < 300_000


def test_an_example_becomes_a_branch_for_each_order() -> None:
    settings = StudentConfig(data=Path(), directory=Path(), rationale_share=1.0)
    made = render_example(EXAMPLE, settings, Random(0))
    texts = [encoding().decode(branch.ids) for branch in made.branches]
    assert texts == [
        "<think> work: a: 2 + 3 = 5.</think>Answer: 5<eos>",
        "<fast>Answer: 5<eos>",
        "<post>Answer: 5<because> work: a: 2 + 3 = 5.<eos>",
    ]
    assert {weight for branch in made.branches for weight in branch.weights[1:]} == {2.0}
    plain = render_example(EXAMPLE, replace(settings, weighted=False), Random(0))
    assert {weight for branch in plain.branches for weight in branch.weights[1:]} == {1.0}


def test_one_order_leaves_the_other_out() -> None:
    settings = StudentConfig(data=Path(), directory=Path(), orders=("think_first",))
    assert [branch.mode for branch in render_example(EXAMPLE, settings, Random(0)).branches] == ["deep"]
    settings = StudentConfig(data=Path(), directory=Path(), orders=("answer_first",), rationale_share=0.0)
    assert [branch.mode for branch in render_example(EXAMPLE, settings, Random(0)).branches] == ["fast"]


def test_examples_beyond_the_context_are_left_out() -> None:
    long = replace(EXAMPLE, rationale="1 + 1 = 2; " * 200)
    assert usable_examples([EXAMPLE, long], 512) == [EXAMPLE]
    with pytest.raises(InvalidInputError, match="512 tokens"):
        usable_examples([long], 512)


def test_a_student_is_trained_perceives_and_answers_in_the_graph(data: Path, tmp_path: Path) -> None:
    folder = train_student(config(data, tmp_path / "student", weights=SHIPPED, steps=1, peak=1e-6))
    about = json.loads((folder / "model.json").read_text())
    assert about["provenance"]["orders"] == ["think_first", "answer_first"]
    assert str(about["auto"]["chosen"]) in about["auto"]["thresholds"]
    assert (folder / "curves.png").is_file()
    model = resolve_model(f"student:{folder}")
    said = model.invoke("What is 2 + 3?")
    assert said.response_metadata["auto"]["share"] == about["auto"]["chosen"]
    assert str(said.text) == "Answer: 5"
    found = build_reasoning_graph(model).invoke({"messages": [("user", "What is 2 + 3?")]})
    assert str(found["messages"][-1].text) == "Answer: 5"
    assert found["reasoning"]["rounds"][0]["signal"]["kind"] == "logprobs"


def test_asked_to_refine_a_student_thinks_about_the_question_anew(data: Path, tmp_path: Path) -> None:
    folder = train_student(config(data, tmp_path / "student", weights=SHIPPED, steps=1, peak=1e-6))
    turns = [("user", "What is 2 + 3?"), ("assistant", "Answer: 6"), ("user", "Check and answer again.")]
    said = resolve_model(f"student:{folder}").invoke(turns)
    assert [block["type"] for block in said.content_blocks] == ["reasoning", "text"]
    assert str(said.text) == "Answer: 5"


def test_a_run_that_was_stopped_ends_at_the_same_weights(data: Path, tmp_path: Path) -> None:
    one_order: dict[str, Any] = {"orders": ("think_first",), "checkpoint_minutes": 0.0}
    whole = train_student(config(data, tmp_path / "whole", **one_order))
    again = tmp_path / "again"
    again.mkdir()
    state = torch.load(whole / "distill.pt", weights_only=True)
    assert state["tally"][0] == 4
    from adaptive_reasoner.training.embedded.stage import StageRun

    take_step = StageRun._step

    def die_in_step_3(run: StageRun, done: float) -> float:
        if run.tally.step == 2:
            raise KeyboardInterrupt
        return take_step(run, done)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StageRun, "_step", die_in_step_3)
        with pytest.raises(KeyboardInterrupt):
            train_student(config(data, again, **one_order))
    resumed = torch.load(train_student(config(data, again, **one_order)) / "distill.pt", weights_only=True)
    assert all(torch.equal(state["model"][name], resumed["model"][name]) for name in state["model"])


def test_a_missing_dataset_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"holds no train\.jsonl"):
        train_student(config(tmp_path, tmp_path / "student"))
    assert not (tmp_path / "student").exists()


def test_the_teacher_works_out_its_own_problems() -> None:
    problems = list(generate("train", 4, seed=5, level=2))
    found = list(ask_embedded(problems, SHIPPED))
    assert [one.reference for one in found] == [str(problem.answer) for problem in problems]
    assert sum(one.answer == one.reference for one in found) >= 3
    assert all(one.rationale.startswith("plan:") and one.first_answer for one in found)
    made = build_dataset(found, DatasetConfig(calibration=0.0, test=0.0))
    assert all(one.verified for one in made.examples)
