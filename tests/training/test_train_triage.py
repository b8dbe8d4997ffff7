"""`train triage`: reads outcomes, judges on questions left out, refuses what cannot be supported."""

import csv
import gzip
import json

import pytest

from adaptive_reasoner.cli import main
from adaptive_reasoner.errors import CalibrationError, InvalidInputError, ProfileError
from adaptive_reasoner.training.triage import train as training
from adaptive_reasoner.training.triage.examples import TriageExample, load_examples
from adaptive_reasoner.training.triage.train import fit_triage, train_triage
from adaptive_reasoner.triage import LinearEstimator


def rows(count=400):
    """Thinking mends the cases and leaves the terms as they are, with some noise."""
    made = []
    for n in range(count):
        case = n % 2 == 0
        text = (
            f"If Kim has more than {n} cards and gives some to each friend, which of them has less?"
            if case
            else f"What is metamorphism number {n} called in contemporary mineralogy?"
        )
        mended = case and n % 10 != 0
        made.append({"question": text, "fast_correct": not mended, "deep_correct": n % 50 != 1})
    return made


def write(path, given):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in given), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(training, "_RESAMPLES", 50)


def test_what_was_fitted_thinks_about_the_questions_that_gain(tmp_path):
    out = tmp_path / "triage.json"
    train_triage(write(tmp_path / "runs.jsonl", rows()), out, pair="mine", share=0.4)
    estimator = LinearEstimator.load(out)
    case, term = (estimator.estimate_text(row["question"])["gain"] for row in rows(2))
    assert term < estimator.think_at_gain <= case
    held_out = estimator.provenance["held_out"]
    assert held_out["apgr_interval"][0] > 0.6
    assert estimator.provenance["questions"] == 400


def test_a_share_of_none_only_informs():
    examples = [TriageExample(**row) for row in rows()]
    assert fit_triage(examples, pair="mine", share=0).think_at_gain is None
    assert fit_triage(examples, pair="mine", share=1).think_at_gain == -1.0


def test_groups_are_kept_together():
    examples = [TriageExample(**row, group=str(n % 6)) for n, row in enumerate(rows())]
    assert training._folds(examples)[0] == training._folds(examples)[6]
    assert len(set(training._folds(examples))) == 5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rows(50), "50 questions.*at least 100"),
        ([{**row, "fast_correct": True, "deep_correct": True} for row in rows()], "0 of them"),
        ([{**row, "fast_correct": row["deep_correct"], "deep_correct": row["fast_correct"]} for row in rows()],
         "gains nothing.*swapped"),
        ([{**row, "fast_correct": n % 3 > 0, "deep_correct": n % 7 > 0, "question": f"How about {n}?"}
          for n, row in enumerate(rows())], "do not say who gains"),
    ],
)  # fmt: skip
def test_labels_that_support_nothing_are_refused_and_nothing_is_written(tmp_path, given, said):
    out = tmp_path / "triage.json"
    with pytest.raises(CalibrationError, match=said):
        train_triage(write(tmp_path / "runs.jsonl", given), out, pair="mine", share=0.2)
    assert not out.exists()


def test_an_estimator_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(ProfileError, match="Cannot write"):
        train_triage(
            write(tmp_path / "runs.jsonl", rows()), tmp_path / "none" / "t.json", pair="x", share=0.2
        )


def test_a_thread_is_read_as_its_question(tmp_path):
    thread = [
        {"role": "user", "content": "Prove that there are infinitely many primes."},
        {"role": "assistant", "content": "Shall I?"},
        {"role": "user", "content": "yes"},
    ]
    given = {"messages": thread, "fast_correct": 0, "deep_correct": 1, "group": "maths"}
    (example,) = load_examples(write(tmp_path / "runs.jsonl", [given]))
    assert example == TriageExample(
        "Prove that there are infinitely many primes.\nyes",
        fast_correct=False,
        deep_correct=True,
        group="maths",
    )


def test_tables_as_routellm_writes_them_are_read(tmp_path):
    path = tmp_path / "mmlu.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["prompt", "subject", "family", "weak", "strong"])
        table.writerow(["Which one?\nA. this\nB. that", "anatomy", "health", "0", "1.0"])
    (example,) = load_examples(path)
    assert (example.fast_correct, example.deep_correct, example.group) == (False, True, "health")
    assert example.question.endswith("B. that")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is no JSON object"),
        ('{"fast_correct": true, "deep_correct": true}', "line 2 has no question"),
        ('{"question": " ", "fast_correct": true, "deep_correct": true}', "line 2 has no question"),
        ('{"question": "x", "deep_correct": true}', "`fast_correct` is None"),
        ('{"question": "x", "fast_correct": true, "deep_correct": NaN}', "`deep_correct` is nan"),
        ('{"question": "x", "fast_correct": 0.5, "deep_correct": true}', "`fast_correct` is 0.5"),
        ('{"messages": [5], "fast_correct": true, "deep_correct": true}', "no thread"),
        (
            '{"messages": [{"role": "wizard", "content": "x"}], "fast_correct": 1, "deep_correct": 1}',
            "no thread",
        ),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, line, said):
    path = tmp_path / "runs.jsonl"
    path.write_text(f"{json.dumps(rows(1)[0])}\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=said):
        load_examples(path)


def test_files_that_are_missing_empty_or_broken_are_one_error(tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "half.jsonl.gz").write_bytes(gzip.compress(b"{}" * 500)[:30])
    for name in ("missing.jsonl", "empty.jsonl", "half.jsonl.gz"):
        with pytest.raises(InvalidInputError, match=name):
            load_examples(tmp_path / name)


def test_the_command_writes_and_says_what_it_is_worth(tmp_path, capsys):
    source, out = write(tmp_path / "runs.jsonl", rows()), tmp_path / "own.json"
    assert main(["train", "triage", str(source), "--out", str(out), "--pair", "mine"]) == 0
    printed = capsys.readouterr().out
    assert "APGR on questions left out" in printed
    assert "prompt length" in printed
    assert main(["train", "triage", str(source), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["held_out"]["apgr"] > 0.6


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    source = write(tmp_path / "runs.jsonl", rows(20))
    assert main(["train", "triage", str(source), "--out", str(tmp_path / "own.json")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "at least 100" in error
    assert not (tmp_path / "own.json").exists()
