"""Worked answers out of recorded runs and from a teacher."""

from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.state import RunRecord
from adaptive_reasoner.traces.labels import Label, label_runs
from adaptive_reasoner.training.distill.dataset import DatasetConfig, build_dataset
from adaptive_reasoner.training.distill.from_runs import candidates_from_runs, work_and_answer
from adaptive_reasoner.training.distill.teacher import ask_teacher
from adaptive_reasoner.training.ibpo.task import Task


def run(answers: list[str], nodes: list[str], verdicts: list[str], **changes: Any) -> RunRecord:
    rounds: list[Any] = [
        {"node": node, "verdict": verdict} for node, verdict in zip(nodes, verdicts, strict=True)
    ]
    report: Any = {
        "rounds": rounds,
        "accepted_round": verdicts.index("accept") if "accept" in verdicts else -1,
        "triage": {"source": changes.pop("source", "none")},
    }
    record: dict[str, Any] = {
        "run_id": "r1", "question": "What is 7 * 6?", "answer": answers[-1], "answers": answers, "report": report,
        **changes,
    }  # fmt: skip
    return record  # pyright: ignore[reportReturnType]


def labelled(record: RunRecord, **label: Any) -> Any:
    labels: list[Label] = [{"run_id": "r1", **label}] if label else []  # pyright: ignore[reportAssignmentType]
    return label_runs([record], labels)


@pytest.mark.parametrize(
    ("text", "work", "answer"),
    [
        ("7 * 6 = 42\nAnswer: 42", "7 * 6 = 42", "42"),
        ("Answer: 42\nBecause: 7 * 6 = 42", "7 * 6 = 42", "42"),
        ("<think>7 * 6 = 42</think>\nAnswer: 42", "7 * 6 = 42", "42"),
        ("42", "", "42"),
    ],
)
def test_work_and_answer_are_told_apart(text: str, work: str, answer: str) -> None:
    assert work_and_answer(text) == (work, answer)


def test_thoughts_kept_apart_are_work_too() -> None:
    assert work_and_answer("Answer: 42", "7 * 6 = 42") == ("7 * 6 = 42", "42")


def test_an_escalated_run_gives_its_deep_answer_and_tells_that_it_was_hard() -> None:
    record = run(
        ["Answer: 41", "7 * 6 = 42\nAnswer: 42"], ["fast_answer", "deep_think"], ["escalate", "accept"]
    )
    (one,) = candidates_from_runs(labelled(record, answer="42"))
    assert (one.answer, one.rationale, one.first_answer) == ("42", "7 * 6 = 42", "41")
    assert (one.correct, one.escalated, one.refined, one.source) == (True, True, False, "run:r1")
    made = build_dataset([one], DatasetConfig(calibration=0.0, test=0.0))
    assert made.examples[0].reasons == ("disagreement", "escalation")


def test_a_wrong_last_answer_gives_way_to_a_right_one_with_work() -> None:
    record = run(
        ["7 * 6 = 42\nAnswer: 42", "7 + 6 = 13\nAnswer: 13"], ["fast_answer", "refine"], ["refine", "accept"]
    )
    (one,) = candidates_from_runs(labelled(record, answer="42"))
    assert (one.answer, one.correct, one.refined) == ("42", True, True)


def test_thoughts_of_a_record_are_read() -> None:
    record = run(["Answer: 42"], ["deep_think"], ["accept"], thoughts=["7 * 6 = 42"])
    (one,) = candidates_from_runs(labelled(record))
    assert (one.rationale, one.correct) == ("7 * 6 = 42", None)


def test_runs_without_work_are_dropped_and_follow_ups_left_out() -> None:
    bare = run(["Answer: 42"], ["fast_answer"], ["accept"])
    follow_up = run(["7 * 6 = 42\nAnswer: 42"], ["deep_think"], ["accept"], source="thread")
    assert list(candidates_from_runs(labelled(follow_up))) == []
    made = build_dataset(candidates_from_runs(labelled(bare)))
    assert made.drops == {"no_rationale": 1}


def test_calls_that_asked_for_tools_are_no_answers() -> None:
    record = run(["calling", "7 * 6 = 42\nAnswer: 42"], ["fast_answer", "deep_think"], ["accept", "accept"])
    record["report"]["rounds"][0]["tool_calls"] = ["search"]
    (one,) = candidates_from_runs(labelled(record))
    assert one.first_answer is None


def test_the_embedded_model_teaches_with_its_deep_mode() -> None:
    seen: list[int] = []
    tasks = [Task("What is 12 * 3 - 5?", "31")]
    (one,) = ask_teacher(EmbeddedChatModel(), tasks, seen.append)
    assert one.answer == "31"
    assert "12 * 3 = 36" in one.rationale
    assert one.source == "teacher:adaptive-reasoner-embedded"
    assert one.first_answer is not None
    assert seen == [1]
    assert build_dataset([one]).examples[0].verified is True


def test_a_model_without_a_switch_is_asked_to_work_in_words() -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("2 + 3 = 5\nAnswer: 5")]))
    (one,) = ask_teacher(model, [Task("What is 2 + 3?", "5")], with_first_answer=False)
    assert (one.rationale, one.answer, one.first_answer) == ("2 + 3 = 5", "5", None)


def test_a_question_whose_call_fails_is_dropped() -> None:
    model = GenericFakeChatModel(messages=iter([]))
    candidates = ask_teacher(model, [Task("What is 2 + 3?", "5")], with_first_answer=False)
    assert build_dataset(candidates).drops == {"no_answer": 1}
