"""Reading runs and labels back: whole lines in, one clear error otherwise."""

import gzip
import json

import pytest
from recorded_runs import judged, run

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.traces.runs import holds_runs, load_runs

ACCEPTED = judged("fast", "accept", "Answer: 42")
ESCALATED = (judged("fast", "escalate", "Answer: 41"), judged("deep", "accept", "Answer: 42"))


def write(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def labels_of(path):
    return [(one.correct, one.rounds_correct) for one in load_runs(path).runs]


def test_runs_come_in_the_order_of_their_time_each_once(tmp_path):
    path = write(
        tmp_path / "runs.jsonl", run(2, ACCEPTED), run(1, ACCEPTED), run(2, ACCEPTED, answer="again")
    )
    loaded = load_runs(path)
    assert [one.record["run_id"] for one in loaded.runs] == ["run-1", "run-2"]
    assert loaded.runs[1].record["answer"] == "again"
    assert loaded.repeated == 1


def test_the_right_answer_tells_of_every_round(tmp_path):
    path = write(tmp_path / "a.jsonl", run(1, *ESCALATED), {"run_id": "run-1", "answer": "42.0"})
    assert labels_of(path) == [(True, (False, True))]


def test_a_verdict_tells_only_of_the_answers_that_say_the_same(tmp_path):
    path = write(tmp_path / "a.jsonl", run(1, *ESCALATED), {"run_id": "run-1", "correct": False})
    assert labels_of(path) == [(False, (None, False))]


def test_without_a_label_nothing_is_known(tmp_path):
    assert labels_of(write(tmp_path / "a.jsonl", run(1, *ESCALATED))) == [(None, (None, None))]


def test_a_later_label_corrects_an_earlier_one(tmp_path):
    labels = [{"run_id": "run-1", "correct": False}, {"run_id": "run-1", "correct": True}]
    assert labels_of(write(tmp_path / "a.jsonl", run(1, ACCEPTED), *labels)) == [(True, (True,))]


def test_failed_calls_and_calls_of_tools_have_no_label(tmp_path):
    rounds = (
        judged("fast", "accept", "", tool_calls=["look_up"]),
        judged("fast", "escalate", "", kind="unknown", error="model_failed"),
        judged("deep", "accept", "42"),
    )
    path = write(tmp_path / "a.jsonl", run(1, *rounds), {"run_id": "run-1", "answer": "42"})
    assert labels_of(path) == [(True, (None, None, True))]


def test_labels_may_stand_in_a_file_of_their_own_and_be_of_other_runs(tmp_path):
    runs = write(tmp_path / "runs.jsonl", run(1, ACCEPTED))
    labels = tmp_path / "labels.jsonl.gz"
    lines = [{"run_id": "run-1", "correct": True}, {"run_id": "run-9", "correct": True}]
    with gzip.open(labels, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    loaded = load_runs(runs, labels)
    assert loaded.runs[0].correct is True
    assert loaded.stray_labels == 1


@pytest.mark.parametrize("torn", [b'{"run_id": "a", "que', b'{"run_id": "a", "que\x18\n', b"\xe6\x97"])
def test_torn_lines_are_skipped_and_counted(tmp_path, torn):
    path = write(tmp_path / "runs.jsonl", run(1, ACCEPTED))
    with path.open("ab") as file:
        file.write(torn)
    assert load_runs(path).torn == 1
    assert len(load_runs(path).runs) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{broken", r"line 2 is not JSON"),
        (b"\xff\xfe", r"line 2 is not JSON"),
        (b"[" * 100_000, r"line 2 is not JSON"),
        (b"[1]", r"line 2 is neither a recorded run nor a label"),
        (b'{"question": "?", "correct": true}', r"line 2 is neither .*run_id: Field required"),
        (b'{"run_id": "a"}', r"line 2 is neither .*either \"correct\""),
        (
            b'{"run_id": "a", "correct": "yes"}',
            r"line 2 is neither .*correct: Input should be a valid boolean",
        ),
        (b'{"report": {}}', r"line 2 is no recorded run: run_id: Field required"),
    ],
)
def test_a_damaged_line_is_one_error_with_its_number(tmp_path, line, said):
    path = write(tmp_path / "runs.jsonl", run(1, ACCEPTED))
    with path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(InvalidInputError, match=said) as caught:
        load_runs(path)
    assert "\n" not in str(caught.value)


def broken_rounds():
    """Runs with one thing wrong each, and the place that is named."""
    infinite, unmeasured, unknown = (run(1, judged("fast", "accept")) for _ in range(3))
    infinite["report"]["rounds"][0]["signal"]["risk"] = 1.5
    unmeasured["report"]["rounds"][0]["signal"]["perplexity"] = None
    unknown["report"]["rounds"][0]["node"] = "guess"
    return [
        (infinite, "report.rounds.0.signal.risk"),
        (unmeasured, "report.rounds.0.signal: .*perplexity"),
        (unknown, "report.rounds.0.node"),
        ({**run(1, ACCEPTED), "answers": []}, "answers, models and report.rounds differ in length"),
        (run(1, ACCEPTED, accepted_round=1), "report: accepted_round is 1 of 1 rounds"),
        ({**run(1, ACCEPTED), "recorded_at": "yesterday"}, "recorded_at"),
    ]


@pytest.mark.parametrize(("record", "place"), broken_rounds())
def test_a_run_that_cannot_be_true_is_refused_by_its_place(tmp_path, record, place):
    with pytest.raises(InvalidInputError, match=rf"line 1 is no recorded run: {place}"):
        load_runs(write(tmp_path / "runs.jsonl", record))


def test_files_without_runs_and_missing_files_are_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="There is no recorded run in"):
        load_runs(write(tmp_path / "labels.jsonl", {"run_id": "a", "correct": True}))
    with pytest.raises(InvalidInputError, match="Cannot read the runs"):
        load_runs(tmp_path / "missing.jsonl")


def test_runs_are_told_from_recorded_answers(tmp_path):
    assert holds_runs(write(tmp_path / "runs.jsonl", run(1, ACCEPTED)))
    assert holds_runs(write(tmp_path / "labels.jsonl", {"run_id": "a", "correct": True}))
    assert not holds_runs(write(tmp_path / "answers.jsonl", {"question": "?", "correct": True}))
    assert not holds_runs(write(tmp_path / "empty.jsonl"))
