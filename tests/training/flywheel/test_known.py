"""Questions whose right answer the labels tell."""

from recorded_runs import judged, run

from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.training.flywheel.known import KnownQuestion, known_questions


def test_the_right_answer_is_what_somebody_wrote_down():
    runs = label_runs(
        [run(1, judged("fast", "accept", "Answer: 41"), tenant="acme")], [{"run_id": "run-1", "answer": "42"}]
    )
    assert runs[0].right_answer == "42"
    assert known_questions(runs) == [KnownQuestion("Question 1?", "42", "acme")]


def test_an_answer_that_was_labelled_right_is_as_good():
    runs = label_runs(
        [run(1, judged("fast", "accept", "It is so.\nAnswer: 42"))], [{"run_id": "run-1", "correct": True}]
    )
    assert [one.right for one in known_questions(runs)] == ["42"]


def test_a_wrong_answer_and_no_label_tell_nothing():
    records = [run(index, judged("fast", "accept", "41")) for index in (1, 2)]
    assert known_questions(label_runs(records, [{"run_id": "run-1", "correct": False}])) == []


def test_a_question_counts_once_and_its_newest_label_counts():
    records = [
        run(1, judged("fast", "accept"), question="What is  6 * 7"),
        run(2, judged("fast", "accept"), question="what is 6 * 7?"),
    ]
    labels = [{"run_id": "run-1", "answer": "41"}, {"run_id": "run-2", "answer": "42"}]
    assert known_questions(label_runs(records, labels)) == [KnownQuestion("what is 6 * 7?", "42")]


def test_a_follow_up_means_nothing_without_its_thread():
    triage = {"gain": 0.0, "difficulty": 0.0, "source": "thread", "reason": "made up"}
    runs = label_runs(
        [run(1, judged("fast", "accept"), triage=triage)], [{"run_id": "run-1", "answer": "42"}]
    )
    assert known_questions(runs) == []
