"""A batch in this process: so many rows at a time, models that block in threads."""

import asyncio
from collections.abc import Callable, Iterator

from adaptive_reasoner.batch.answering import RowAnswerer
from adaptive_reasoner.batch.job import BatchJob
from adaptive_reasoner.batch.rows import BatchRow
from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.asking import together
from adaptive_reasoner.server.openings import open_parts

OnAnswer = Callable[[Json], None]


def answer_locally(job: BatchJob, rows: Iterator[BatchRow], on_answer: OnAnswer) -> None:
    """Answer `rows`; `on_answer` is told of each as soon as it is done, in any order.

    Raises:
        ConfigurationError: what the models need cannot be opened, or `on_answer` raised it.
    """
    asyncio.run(_answer_all(job, rows, on_answer))


async def _answer_all(job: BatchJob, rows: Iterator[BatchRow], on_answer: OnAnswer) -> None:
    async with open_parts(job.settings, job.served()) as parts:
        answerer = RowAnswerer(parts, job.tenant)
        await together([_work(answerer, rows, on_answer) for _ in range(job.workers)])


async def _work(answerer: RowAnswerer, rows: Iterator[BatchRow], on_answer: OnAnswer) -> None:
    """Answer until no row is left; the workers share one iterator and one event loop."""
    for row in rows:
        on_answer(await answerer.answer(row))
