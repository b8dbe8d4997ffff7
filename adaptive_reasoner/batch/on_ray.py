"""A batch on Ray Data: the rows in blocks, a few processes that answer them, one writer here.

Ray gives a block again to another process where one dies. A block's answers come here whole or not at all, so a row is
written once however often it was asked; what the lost process had spent on its block is spent.
"""

import asyncio
import dataclasses
import json
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from importlib.util import find_spec
from itertools import islice
from typing import Any, TypeVar

from adaptive_reasoner.batch.answering import RowAnswerer
from adaptive_reasoner.batch.job import BatchJob
from adaptive_reasoner.batch.rows import BatchRow
from adaptive_reasoner.errors import ConfigurationError, MissingExtraError
from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.asking import together
from adaptive_reasoner.server.openings import open_parts

Result = TypeVar("Result")
# Rows that one process gets at a time, times its workers: what is asked again where it dies.
_ROUNDS_A_BLOCK = 4
# Rows that are held in memory at a time.
_WAVE = 100_000


def answer_on_ray(job: BatchJob, rows: Iterator[BatchRow], on_answer: Callable[[Json], None]) -> None:
    """Answer `rows` on the cluster that Ray finds, or on this machine's cores.

    Raises:
        MissingExtraError: Ray Data is not installed.
        ConfigurationError: what the models need cannot be opened, or `on_answer` raised it.
    """
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise MissingExtraError('--engine ray needs the extra "ray": pip install "adaptive-reasoner[ray]".')
    import ray as untyped_ray
    from ray.exceptions import RayError

    ray: Any = untyped_ray

    job.served()  # what cannot be used is said now, and in one line
    if not ray.is_initialized():
        ray.init(
            num_cpus=job.processes, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR
        )
    processes = job.processes or max(1, int(ray.cluster_resources().get("CPU", 1)))
    try:
        while wave := list(islice(rows, _WAVE)):
            for answer in _answers(job, wave, processes):
                on_answer(answer)
    except RayError as error:
        said = str(error).strip().splitlines()[-1]
        raise ConfigurationError(f"Ray ended the batch: {said}. Run again to go on.") from error


def _answers(job: BatchJob, rows: list[BatchRow], processes: int) -> Iterator[Json]:
    import ray.data

    context: Any = ray.data.DataContext.get_current()
    context.enable_progress_bars = False  # Ray would draw its own beside ours
    size = job.workers * _ROUNDS_A_BLOCK
    items = [{"row": json.dumps(dataclasses.asdict(row))} for row in rows]
    data: Any = ray.data
    answered = data.from_items(items, override_num_blocks=-(-len(rows) // size)).map_batches(
        RayWorker,
        fn_constructor_args=(job,),
        batch_size=size,
        compute=data.ActorPoolStrategy(size=processes),
    )
    for one in answered.iter_rows():
        yield json.loads(one["answer"])


class RayWorker:
    """One process of Ray's: opens the models once, answers block after block.

    Its event loop runs in a thread of its own, as Ray may call from any.
    """

    def __init__(self, job: BatchJob) -> None:
        self._workers = job.workers
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="batch", daemon=True).start()
        self._answerer = self._wait(_open(job))

    def __call__(self, block: dict[str, Any]) -> dict[str, list[str]]:
        """Answer the rows of one block; rows and answers are JSON."""
        rows = [BatchRow(**json.loads(row)) for row in block["row"]]
        answers = self._wait(self._answer_all(rows))
        return {"answer": [json.dumps(answer) for answer in answers]}

    async def _answer_all(self, rows: list[BatchRow]) -> list[Json]:
        left = iter(rows)
        answers: list[Json] = []

        async def work() -> None:
            for row in left:
                answers.append(await self._answerer.answer(row))  # noqa: PERF401 - several of these share a list

        await together([work() for _ in range(self._workers)])
        return answers

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _open(job: BatchJob) -> RowAnswerer:
    """What answers; it stays open until Ray ends the process."""
    parts = await AsyncExitStack().enter_async_context(open_parts(job.settings, job.served()))
    return RowAnswerer(parts, job.tenant)
