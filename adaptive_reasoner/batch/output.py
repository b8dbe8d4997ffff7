"""The output of a batch: one line a row, appended when it is done; what is there after a crash is gone on with."""

import contextlib
import json
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from adaptive_reasoner.batch.rows import BatchRow
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.openai_shapes import Json


class BatchOutput:
    """Lines of answers, open for appending and nobody else's; see `open_output`.

    Attributes:
        digests: of the rows that are done, by row.
        failed: which of them are errors.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.digests: dict[int, str] = {}
        self.failed: set[int] = set()
        self._path = path
        self._file = file

    def has(self, row: BatchRow) -> bool:
        """True if the row is done.

        Raises:
            ConfigurationError: the output is that of another input.
        """
        digest = self.digests.get(row.row)
        if digest is not None and digest != row.digest:
            raise ConfigurationError(
                f"Row {row.row} is not the one that {self._path} holds an answer to: name another --out."
            )
        return digest is not None

    def add(self, answer: Json) -> bool:
        """Append the answer to a row; False, and nothing is written, if the row has one.

        Raises:
            ConfigurationError: the line cannot be written; the next run drops what there is of it.
        """
        if answer["row"] in self.digests:
            return False
        line = json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        try:
            self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")
            self._file.flush()
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._note(answer)
        return True

    def read(self) -> None:
        """Learn what is done, and cut off a line that was not finished."""
        self._file.seek(0)
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            self._note(_parsed(line, self._path))
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)

    def _note(self, answer: Json) -> None:
        self.digests[answer["row"]] = answer["digest"]
        if answer["error"] is not None:
            self.failed.add(answer["row"])


@contextmanager
def open_output(path: Path, *, drop_errors: bool = False) -> Generator[BatchOutput]:
    """The output of one run at a time.

    Args:
        path: the file; made where there is none.
        drop_errors: forget the rows that failed, so that they are asked again.

    Raises:
        ConfigurationError: it cannot be written, holds something else, or another run has it.
    """
    if path.suffix == ".gz":
        raise ConfigurationError(f"{path} cannot be appended to after a crash: name a file without .gz.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if drop_errors and path.exists():
            _drop_errors(path)
        file = path.open("a+b")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        _lock(file, path)
        output = BatchOutput(path, file)
        output.read()
        yield output
    finally:
        with contextlib.suppress(OSError):  # a full disk was said when the line was written
            file.close()


def _lock(file: IO[bytes], path: Path) -> None:
    """Hold the file until it is closed; where the system has no such locks, one run at a time is up to the user."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigurationError(
            f"Another batch is writing {path}; wait for it, or name another --out."
        ) from None


def _drop_errors(path: Path) -> None:
    """Write the file anew without errors, in one step; whoever is writing it is not disturbed."""
    with path.open("rb") as old:
        _lock(old, path)
        folder = path.parent
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{path.name}.", delete=False) as new:
            new.writelines(_without_errors(old, path))
        Path(new.name).replace(path)


def _without_errors(lines: IO[bytes], path: Path) -> Iterator[bytes]:
    for line in lines:
        if line.endswith(b"\n") and _parsed(line, path)["error"] is None:
            yield line


def _parsed(line: bytes, path: Path) -> Json:
    try:
        answer: Any = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not {"row", "digest", "error"} <= cast("Json", answer).keys():
        raise ConfigurationError(f"{path} is no output of a batch; name another --out.")
    return cast("Json", answer)


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"Cannot write {path} ({error.strerror or error}); run again to go on.")
