"""Offline batches (extra `server`; over several machines, extra `ray`): questions in, answers out.

`rows` reads the input, `answering` answers one row as the server would, `local` and `on_ray` answer many, `output`
keeps one line an input row and knows after a crash which rows are done, `running` joins them.
"""

from adaptive_reasoner.batch.job import BatchJob, BatchResult
from adaptive_reasoner.batch.running import run_batch

__all__ = ["BatchJob", "BatchResult", "run_batch"]
