"""`batch`: what it writes, says and ends with."""

import json

from adaptive_reasoner.cli import main


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_file_is_answered_beside_itself(tmp_path, shipped_weights, capsys):
    file = tmp_path / "asked.jsonl"
    _write(file, [{"id": "a", "question": "What is 3 * 7 + 5?"}] * 2)
    assert main(["batch", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], said["answered"], said["failed"], said["new"]) == (2, 2, 0, 2)
    assert said["tokens"] > 0
    answers = [json.loads(line) for line in (tmp_path / "asked.answers.jsonl").read_text().splitlines()]
    assert [answer["custom_id"] for answer in answers] == ["a", "a"]
    assert main(["batch", str(file)]) == 0
    assert "0 in this run" in capsys.readouterr().out


def test_failed_rows_end_with_a_code_of_their_own(tmp_path, shipped_weights, capsys):
    file = tmp_path / "asked.jsonl"
    _write(file, [{"nothing": 1}])
    assert main(["batch", str(file)]) == 4
    assert "0 answered, 1 failed" in capsys.readouterr().out


def test_the_input_is_never_its_own_output(tmp_path, capsys):
    file = tmp_path / "asked.jsonl"
    _write(file, [{"question": "What?"}])
    before = file.read_bytes()
    assert main(["batch", str(file), "--out", str(file)]) == 2
    assert "name another file" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_missing_input_is_one_line_and_leaves_no_output(tmp_path, capsys):
    assert main(["batch", str(tmp_path / "none.jsonl")]) == 2
    assert "Cannot read the batch" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
