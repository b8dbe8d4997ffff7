"""A batch from its file to its answers."""

import time
from collections.abc import Callable, Iterator

from adaptive_reasoner.batch.job import BatchJob, BatchResult
from adaptive_reasoner.batch.local import answer_locally
from adaptive_reasoner.batch.output import BatchOutput, open_output
from adaptive_reasoner.batch.rows import BatchRow, read_rows
from adaptive_reasoner.openai_shapes import Json

OnProgress = Callable[[int, int], None]


def run_batch(job: BatchJob, on_progress: OnProgress | None = None) -> BatchResult:
    """Answer every row that has no answer yet: one line of output a row, whatever becomes of the row.

    Args:
        job: what to do.
        on_progress: is told how many rows are done and how many there are.

    Raises:
        ConfigurationError: a file, a setting or a model cannot be used, or the output is another input's.
        InvalidInputError: the input cannot be read.
    """
    begun = time.monotonic()
    next(read_rows(job.source, job.model), None)  # an input that cannot be read leaves no output behind
    with open_output(job.out, drop_errors=job.retries_errors) as output:
        total = sum(output.has(row) or True for row in read_rows(job.source, job.model))
        tally = _Tally(output, total, on_progress)
        if len(output.digests) < total:
            answer_rows = _engine(job)
            answer_rows(job, _left(job, output), tally.add)
        failed = len(output.failed)
        seconds = time.monotonic() - begun
        return BatchResult(total, len(output.digests) - failed, failed, tally.new, seconds, tally.tokens)


def _left(job: BatchJob, output: BatchOutput) -> Iterator[BatchRow]:
    """Rows to do; read as they are needed, so that a batch may be larger than memory."""
    return (row for row in read_rows(job.source, job.model) if not output.has(row))


def _engine(job: BatchJob) -> Callable[[BatchJob, Iterator[BatchRow], Callable[[Json], None]], None]:
    if job.engine == "local":
        return answer_locally
    from adaptive_reasoner.batch.on_ray import answer_on_ray

    return answer_on_ray


class _Tally:
    """Writes answers down and counts them."""

    def __init__(self, output: BatchOutput, total: int, on_progress: OnProgress | None) -> None:
        self.new = 0
        self.tokens = 0
        self._output = output
        self._total = total
        self._on_progress = on_progress

    def add(self, answer: Json) -> None:
        if not self._output.add(answer):
            return
        self.new += 1
        usage: Json = answer["response"]["body"].get("usage") or {}
        self.tokens += int(usage.get("total_tokens", 0))
        if self._on_progress is not None:
            self._on_progress(len(self._output.digests), self._total)
