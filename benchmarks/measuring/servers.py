"""Servers under test as processes of their own: started, waited for, ended."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

STUB = Path(__file__).with_name("stub_upstream.py")
START_SECONDS = 300  # a busy machine takes minutes to import some of them


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str], ready: str, folder: Path, environment: dict[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """The command, from the moment when `ready` is answered; its words go to a log in `folder`.

    Raises:
        RuntimeError: it ended, or is not ready in time; the message ends with its last words.
    """
    log = folder / f"{Path(command[0]).name}-{free_port()}.log"
    with log.open("wb") as words:
        process = subprocess.Popen(  # noqa: S603 - the benchmarks' own commands
            command, stdout=words, stderr=words, env={**os.environ, **(environment or {})}, cwd=folder
        )
    try:
        _wait_for(ready, process, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise RuntimeError(f"{url} is not answered. {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def stub(delay: float, folder: Path) -> Generator[str]:
    """The stub upstream; gives its base URL."""
    port = free_port()
    command = [sys.executable, str(STUB), "--port", str(port), "--delay", str(delay)]
    with running(command, f"http://127.0.0.1:{port}/v1/models", folder):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def ours(
    upstream: str,
    folder: Path,
    *,
    db: str | None = None,
    workers: int = 1,
    environment: dict[str, str] | None = None,
) -> Generator[tuple[str, subprocess.Popen[bytes]]]:
    """`adaptive-reasoner serve` before `upstream`; gives its base URL and its process."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "adaptive_reasoner", "serve", "--port", str(port)),
        *("--fast", "stub", "--base-url", upstream),
    ]
    given = {"LANGSMITH_TRACING": "false", **(environment or {})}
    stored = [*(["--db", db] if db else []), *(["--workers", str(workers)] if workers > 1 else [])]
    with running([*command, *stored], f"http://127.0.0.1:{port}/healthz", folder, given) as process:
        yield f"http://127.0.0.1:{port}/v1", process


def resident_mib(pid: int) -> float:
    """Memory of one process that is in RAM, in MiB (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """CPU that one process has used, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
