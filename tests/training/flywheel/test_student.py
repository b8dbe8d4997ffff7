"""A student of a turn: what it learns from, what judges it, that it resumes, and that the service takes it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("matplotlib", reason="training needs the extra `train`")

from langchain_core.language_models.fake_chat_models import FakeListChatModel  # noqa: E402
from recorded_runs import judged, run, usage  # noqa: E402

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph  # noqa: E402
from adaptive_reasoner.cli import main  # noqa: E402
from adaptive_reasoner.embedded.problems import generate  # noqa: E402
from adaptive_reasoner.errors import ConfigurationError  # noqa: E402
from adaptive_reasoner.gate.shipped import profile_for  # noqa: E402
from adaptive_reasoner.traces.labels import label_runs  # noqa: E402
from adaptive_reasoner.training.distill.dataset import Candidate, normal_question  # noqa: E402
from adaptive_reasoner.training.distill.embedded_teacher import SHIPPED  # noqa: E402
from adaptive_reasoner.training.distill.examples import read_split  # noqa: E402
from adaptive_reasoner.training.flywheel.asking import System  # noqa: E402
from adaptive_reasoner.training.flywheel.known import KnownQuestion  # noqa: E402
from adaptive_reasoner.training.flywheel.shipping import in_use, ship_student  # noqa: E402
from adaptive_reasoner.training.flywheel.short_thoughts import beginnings, shorten  # noqa: E402
from adaptive_reasoner.training.flywheel.student import turn_student  # noqa: E402
from adaptive_reasoner.training.flywheel.student_config import StudentTurn  # noqa: E402
from adaptive_reasoner.training.flywheel.student_data import with_work  # noqa: E402
from adaptive_reasoner.training.flywheel.turn import TurnConfig, is_held_out  # noqa: E402
from adaptive_reasoner.training.flywheel.worked_out import work_out  # noqa: E402

pytestmark = pytest.mark.train

THOUGHT = "plan: a: 73 - 34. work: a: 73 - 34 = 39. check: a: 39 + 34 = 73 ok."
QUESTION = "Nora has 73 boxes. She breaks 34. How many boxes does Nora have now?"


def records_and_labels(count: int = 280) -> tuple[list[Any], list[Any]]:
    """Fast answers that are right where their probability is high; half were thought through."""
    records: list[Any] = []
    problems = list(generate("train", count, seed=9))
    for index, problem in enumerate(problems):
        p = 0.95 if problem.level <= 2 else 0.3
        fast = judged(
            "fast", "escalate" if index % 2 else "accept", str(problem.answer if p > 0.5 else 777), p=p
        )
        deep = judged("deep", "accept", str(problem.answer), usage=usage(90))
        records.append(run(index, fast, *([deep] if index % 2 else []), question=problem.question))
    labels = [
        {"run_id": record["run_id"], "answer": str(problem.answer)}
        for record, problem in zip(records, problems, strict=True)
    ]
    return records, labels


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> StudentTurn:
    return StudentTurn(
        directory=tmp_path_factory.mktemp("turn"),
        steps=1,
        peak=1e-6,
        tries=0,
        calibration=40.0,
        most_judged=100,
    )


WRONG = System(FakeListChatModel(responses=["Answer: 0"]), None, profile_for("unknown"))


@pytest.fixture(scope="module")
def told(settings: StudentTurn) -> dict[str, Any]:
    """One turn against a system that is always wrong."""
    lines: list[str] = []
    found = turn_student(label_runs(*records_and_labels()), WRONG, TurnConfig(), settings, lines.append)
    return {"found": found, "lines": lines}


def test_a_student_that_is_better_than_what_is_in_use_may_be_shipped(told: dict[str, Any]) -> None:
    step = told["found"].step
    assert step.refused is None
    assert step.compared.before["error"].mean >= 0.9  # some answers are 0
    assert step.compared.change["error"].high < -0.5
    assert step.compared.runs == 100


def test_it_learns_from_no_question_that_judges_it(told: dict[str, Any], settings: StudentTurn) -> None:
    learned = [
        one for name in ("train", "calibration") for one in read_split(settings.directory / "data", name)
    ]
    assert len(learned) > 140
    assert not [one for one in learned if is_held_out(one.question, 0.4)]
    assert all(one.verified for one in learned)


def test_its_thoughts_end_where_their_result_stands(told: dict[str, Any], settings: StudentTurn) -> None:
    rationales = [one.rationale for one in read_split(settings.directory / "data", "train")]
    assert sum("check:" in one for one in rationales) < 0.2 * len(rationales)


def test_a_turn_that_is_run_again_takes_up_what_is_there(told: dict[str, Any], settings: StudentTurn) -> None:
    weights = (settings.directory / "student" / "model.npz").read_bytes()
    lines: list[str] = []
    again = turn_student(label_runs(*records_and_labels()), WRONG, TurnConfig(), settings, lines.append)
    assert lines[0].startswith("dataset: goes on with")
    assert (settings.directory / "student" / "model.npz").read_bytes() == weights
    assert again.step == told["found"].step


def test_a_folder_that_was_split_otherwise_is_refused(told: dict[str, Any], settings: StudentTurn) -> None:
    with pytest.raises(ConfigurationError, match="belongs to another turn"):
        turn_student(label_runs(*records_and_labels()), WRONG, TurnConfig(held_out=0.5), settings, print)


def test_too_few_known_answers_judge_no_student(tmp_path: Path) -> None:
    records, labels = records_and_labels()
    none = StudentTurn(directory=tmp_path / "new")
    found = turn_student(label_runs(records, labels[:50]), WRONG, TurnConfig(), none)
    assert found.policy is None
    assert "100 are needed" in (found.step.refused or "")
    assert not (tmp_path / "new").exists()


def test_what_is_shipped_answers_in_the_graph(told: dict[str, Any], tmp_path: Path) -> None:
    ship_student(told["found"].folder, told["found"].policy, tmp_path)
    used = in_use(tmp_path)
    assert used.model
    graph = build_reasoning_graph(
        used.model, config=ReasonerConfig(gate=used.gate, triage=used.triage or "auto")
    )
    state = graph.invoke({"messages": [("user", "What is 2 + 3?")]})
    assert str(state["messages"][-1].text) == "Answer: 5"
    assert "uncalibrated" not in json.dumps(state["reasoning"])


def test_one_command_makes_and_judges_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records, labels = records_and_labels(450)
    runs = tmp_path / "runs.jsonl"
    runs.write_text("".join(json.dumps(line) + "\n" for line in [*records, *labels]))
    command = [
        "train", "flywheel", str(runs), "--folder", str(tmp_path / "profiles"), "--student", str(tmp_path / "turn"),
        "--student-steps", "1", "--student-tries", "0", "--most-judged", "100", "--json",
    ]  # fmt: skip
    assert main([*command, "--dry-run"]) in {0, 3}
    told_of = json.loads(capsys.readouterr().out)
    assert [step["part"] for step in told_of["steps"]] == ["gate", "triage", "student"]
    assert told_of["steps"][2]["compared"]["runs"] == 100
    assert told_of["student"]["promise"]["broken"] in {True, False}
    assert not (tmp_path / "profiles").exists()


def test_the_work_of_a_run_is_kept_and_only_the_rest_is_worked_out() -> None:
    shown = Candidate(
        question="What is 2 + 3?", answer="5", rationale="2 + 3 = 5", source="run:a", correct=True
    )
    wrong = replace(shown, question="What is 4 + 5?", answer="8", correct=False, first_answer="8")
    bare = replace(shown, question="What is 1 + 1?", answer="2", rationale="")
    known = [KnownQuestion(one.question, right) for one, right in ((shown, "5"), (wrong, "9"), (bare, "2"))]
    asked: list[str] = []

    def work_out_left(left: Any) -> dict[str, str]:
        asked.extend(one.question for one in left)
        return {"What is 4 + 5?": "4 + 5 = 9"}

    made = {
        normal_question(one.question): one for one in with_work([shown, wrong, bare], known, work_out_left)
    }
    assert asked == [wrong.question, bare.question]
    assert made["what is 2 + 3"] == shown
    mended = made["what is 4 + 5"]
    assert (mended.answer, mended.rationale, mended.correct, mended.first_answer) == (
        "9",
        "4 + 5 = 9",
        True,
        "8",
    )
    assert made["what is 1 + 1"].rationale == ""


def test_thoughts_are_drawn_until_one_leads_to_the_right_answer() -> None:
    found = work_out(SHIPPED, [KnownQuestion(QUESTION, "39"), KnownQuestion("What is 2 + 2?", "5")], 1)
    assert found == {QUESTION: THOUGHT}


def test_a_thought_ends_with_the_first_step_that_holds_its_result() -> None:
    assert beginnings(THOUGHT, "39") == ["plan: a: 73 - 34. work: a: 73 - 34 = 39."]
    assert beginnings(THOUGHT, "3") == []


def test_a_thought_is_cut_only_where_the_model_is_sure_of_the_right_answer() -> None:
    one = Candidate(question=QUESTION, answer="39", rationale=THOUGHT, source="t", correct=True)
    wrong = replace(one, correct=False)
    cut, kept = shorten(SHIPPED, [one, wrong], 0.9)
    assert cut.rationale == "plan: a: 73 - 34. work: a: 73 - 34 = 39."
    assert kept.rationale == THOUGHT
    early = replace(one, rationale=f"39; {THOUGHT}")
    assert shorten(SHIPPED, [replace(early, question="What is 2 + 3?")], 0.99)[0].rationale == early.rationale
