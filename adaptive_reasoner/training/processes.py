"""Data-parallel CPU processes of one thread each, which train in step."""

import ctypes
import os
import platform
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn as start_processes  # pyright: ignore[reportUnknownVariableType]

# Spinning OpenMP threads starve the other processes (measured: 44 s a step instead of 0.5).
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}

Work = Callable[[int, Any], None]


def run_in_step(work: Work, config: Any, processes: int, seed: int) -> None:
    """Call `work(rank, config)` in every process; with more than one, in a gloo group.

    Args:
        work: a function at the top level of its module.
        config: what it is given; it must pickle.
        processes: how many; 1 runs here.
        seed: torch's, the same in all of them.
    """
    os.environ.update(_ENVIRONMENT)
    if processes == 1:
        _begin(0, work, config, seed, None)
    else:
        start_processes(_begin, (work, config, seed, (processes, _free_port())), nprocs=processes)


def return_memory() -> None:
    """Give freed memory back to the system; under glibc, steps of changing size otherwise fragment gigabytes."""
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _begin(rank: int, work: Work, config: Any, seed: int, group: tuple[int, int] | None) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
    if group is None:
        work(rank, config)
        return
    processes, port = group
    dist.init_process_group(
        "gloo",
        init_method=f"tcp://127.0.0.1:{port}",
        rank=rank,
        world_size=processes,
        timeout=timedelta(minutes=20),
    )
    work(rank, config)
    dist.destroy_process_group()
