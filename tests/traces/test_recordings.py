"""Reading recordings and pairing their answers."""

import gzip
import json

import pytest
from recorded_answers import record, recording

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.traces.recordings import as_examples, keep_where, load_records, pair_records


def test_plain_and_zipped_lines_read_the_same(tmp_path):
    lines = "\n".join(json.dumps(one) for one in recording(3))
    (tmp_path / "a.jsonl").write_text(lines + "\n\n", encoding="utf-8")
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(lines)

    assert load_records(tmp_path / "a.jsonl") == load_records(tmp_path / "a.jsonl.gz") == recording(3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("not json", "line 1 is not JSON"),
        ('{"question": "?"}', "line 1 is no recorded answer; its fields are: question, correct"),
        ("[1]", "line 1 is no recorded answer"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "a.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInputError, match=message):
        load_records(path)


@pytest.mark.parametrize("name", ["missing.jsonl", "missing.jsonl.gz", "broken.jsonl.gz"])
def test_what_cannot_be_read_is_refused(tmp_path, name):
    (tmp_path / "broken.jsonl.gz").write_bytes(b"no gzip at all")

    with pytest.raises(InvalidInputError, match="Cannot read the recording"):
        load_records(tmp_path / name)


def test_answers_pair_by_id_whatever_their_order():
    pairs = pair_records(recording(3), recording(5)[::-1])

    assert [pair.fast["id"] for pair in pairs] == ["q/0", "q/1", "q/2"]
    assert all(pair.deep is not None and pair.deep["id"] == pair.fast["id"] for pair in pairs)
    assert all(pair.deep is not None and pair.deep["mode"] == "deep" for pair in pairs)


def test_answers_without_ids_pair_by_question():
    bare = [{key: value for key, value in one.items() if key != "id"} for one in recording(3)]

    assert len(pair_records(bare, bare)) == 3


def test_fast_answers_may_stand_alone():
    (pair,) = pair_records([record(0, "fast", 0.9, correct=True)], None)

    assert pair.deep is None
    assert as_examples([pair])[0].deep is None


def test_nothing_in_common_is_refused():
    with pytest.raises(InvalidInputError, match="1 fast and 1 deep answers have no question in common"):
        pair_records([record(0, "fast", 0.9, correct=True)], [record(1, "deep", 0.9, correct=True)])


def test_conditions_keep_the_records_of_the_values():
    assert {one["family"] for one in keep_where(recording(4), ["family=odd"])} == {"odd"}
    assert len(keep_where(recording(4), ["family=odd, even", "mode=fast"])) == 4
    with pytest.raises(InvalidInputError, match="No record is left"):
        keep_where(recording(4), ["family=none"])
    with pytest.raises(InvalidInputError, match="has no field=value"):
        keep_where(recording(4), ["family"])


def test_examples_carry_labels_and_messages():
    example = as_examples(pair_records(recording(1), recording(1)))[0]

    assert (example.fast_correct, example.deep_correct) == (False, True)
    assert example.fast.text == "{'sol': 'b'}"
    assert example.deep is not None
    assert example.deep.text == "{'sol': 'a'}"
