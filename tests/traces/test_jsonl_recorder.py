"""Recording to a file: whole lines, whoever writes at the same time and whatever goes wrong."""

import json
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adaptive_reasoner.errors import ConfigurationError, RecordError
from adaptive_reasoner.traces import JsonlRecorder

LONG = "x" * 100_000


def write_many(path: str, writer: int, count: int) -> None:
    recorder = JsonlRecorder(path)
    for index in range(count):
        recorder.record({"writer": writer, "index": index, "text": LONG})


def write_for_ever(path: str) -> None:
    recorder = JsonlRecorder(path)
    while True:
        recorder.record({"text": LONG})


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_is_one_line_whatever_its_text(tmp_path):
    recorder = JsonlRecorder(tmp_path / "runs.jsonl", sync=True)
    records = [{"text": "line\nline \u2028 日本 🗼"}, {"text": "\ud800"}]
    for record in records:
        recorder.record(record)
    assert read(tmp_path / "runs.jsonl") == records


def test_lines_of_several_threads_and_processes_stay_whole(tmp_path):
    path = tmp_path / "runs.jsonl"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(str(path), writer, 20)) for writer in range(2)]
    for process in processes:
        process.start()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda writer: write_many(str(path), writer, 20), range(2, 6)))
    for process in processes:
        process.join()
    written = [(record["writer"], record["index"]) for record in read(path)]
    assert sorted(written) == [(writer, index) for writer in range(6) for index in range(20)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_what_a_killed_process_left_torn_spoils_no_other_line(tmp_path):
    path = tmp_path / "runs.jsonl"
    process = multiprocessing.get_context("spawn").Process(target=write_for_ever, args=(str(path),))
    process.start()
    while not path.exists() or path.stat().st_size < 1_000_000:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with path.open("ab") as file:  # a kill between two writes leaves nothing torn, so make sure
        file.write(b'{"text": "xx')
    JsonlRecorder(path).record({"text": "after"})
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[-1]) == {"text": "after"}
    assert lines[-2].endswith(b"xx\x18")
    assert all(json.loads(line)["text"] == LONG for line in lines[:-2])


def test_a_last_line_that_only_lacks_its_newline_is_kept(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text('{"a": 1}\n{"b": 2}', encoding="utf-8")
    JsonlRecorder(path).record({"c": 3})
    assert read(path) == [{"a": 1}, {"b": 2}, {"c": 3}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_clear_error():
    with pytest.raises(RecordError, match="Cannot record to /dev/full: No space left on device"):
        JsonlRecorder("/dev/full").record({"a": 1})


def test_what_is_cut_short_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "runs.jsonl"
    recorder = JsonlRecorder(path)
    recorder.record({"a": 1})
    write = os.write

    def short(descriptor: int, line: bytes) -> int:
        if len(line) < 8:
            raise OSError(28, "No space left on device")
        return write(descriptor, line[:8])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(RecordError, match="No space left"):
        recorder.record({"text": LONG})
    assert path.read_text(encoding="utf-8") == '{"a": 1}\n'


@pytest.mark.parametrize("record", [{"risk": float("nan")}, {"gate": object()}])
def test_what_is_no_plain_json_is_refused_and_not_written(tmp_path, record):
    path = tmp_path / "runs.jsonl"
    with pytest.raises(RecordError, match="not plain JSON"):
        JsonlRecorder(path).record(record)
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("name", "said"),
    [("missing/runs.jsonl", "No such file"), ("", "Is a directory"), ("runs.jsonl.gz", "drop the .gz")],
)
def test_a_path_that_cannot_be_used_is_refused_before_the_first_run(tmp_path, name, said):
    with pytest.raises(ConfigurationError, match=said):
        JsonlRecorder(tmp_path / name)


def test_a_file_that_was_rotated_away_is_begun_anew(tmp_path):
    path = tmp_path / "runs.jsonl"
    recorder = JsonlRecorder(path)
    recorder.record({"a": 1})
    path.rename(tmp_path / "old.jsonl")
    recorder.record({"b": 2})
    assert read(path) == [{"b": 2}]
    assert path.stat().st_mode & 0o077 == 0
