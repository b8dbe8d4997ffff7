"""Does a batch on Ray Data hold one row of output an input row while its processes are killed?

    python benchmarks/ray_batch.py --rows 100000 --processes 4 --kills 3

The rows are made-up problems for the embedded model, every tenth a copy of the one before it and every hundredth no
question at all. As the output grows, one of Ray's processes that answer is killed by `kill -9`, so many times; Ray
starts it anew. The output is then counted against the input.
"""

import argparse
import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring.report import Progress, print_table, provenance, write_json

from adaptive_reasoner.batch import BatchJob, run_batch

Json = dict[str, Any]


def write_rows(path: Path, count: int, seed: int) -> None:
    """Problems, copies and rows that ask nothing."""
    draw = random.Random(seed)
    last = {"id": "0", "question": "What is 3 * 7 + 5?"}
    with path.open("w") as file:
        for place in range(count):
            if place % 100 == 99:
                file.write(json.dumps({"id": str(place), "text": "nothing is asked"}) + "\n")
                continue
            if place % 10:
                factors = (draw.randint(2, 9) for _ in range(3))
                question = "What is {} * {} + {}?".format(*factors)
                last = {"id": str(place), "question": question}
            file.write(json.dumps(last) + "\n")


class Killer:
    """Kills one of Ray's answering processes each time a further share of the rows is done."""

    def __init__(self, rows: int, kills: int) -> None:
        self.killed_at: list[int] = []
        self._marks = [rows * (place + 1) // (kills + 1) for place in range(kills)]

    def __call__(self, done: int, _total: int) -> None:
        """Note how far the batch is."""
        if self._marks and done >= self._marks[0]:
            self._marks.pop(0)
            if victims := answering_processes():
                os.kill(victims[0], signal.SIGKILL)
                self.killed_at.append(done)


def answering_processes() -> list[int]:
    """Processes below this one that Ray runs `RayWorker` in: their names say so (Linux)."""
    import psutil

    children = psutil.Process().children(recursive=True)
    return [child.pid for child in children if "MapWorker" in " ".join(child.cmdline())]


def count_output(source: Path, out: Path) -> Json:
    """The output against the input."""
    rows = sum(1 for _ in source.open())
    seen: Counter[int] = Counter()
    failed, wrong_id = 0, 0
    ids = [json.loads(line)["id"] for line in source.open()]
    for line in out.open():
        answer = json.loads(line)
        seen[answer["row"]] += 1
        failed += answer["error"] is not None
        wrong_id += answer["custom_id"] != ids[answer["row"] - 1]
    return {
        "rows": rows,
        "lines": sum(seen.values()),
        "missing": rows - len(seen),
        "doubled": sum(count - 1 for count in seen.values()),
        "with_another_id": wrong_id,
        "failed": failed,
        "asked_nothing": rows // 100,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="A batch on Ray whose processes are killed.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        source, out = Path(folder, "rows.jsonl"), Path(folder, "answers.jsonl")
        write_rows(source, options.rows, options.seed)
        job = BatchJob(
            source=source, out=out, engine="ray", processes=options.processes, workers=options.workers
        )
        killer, progress = Killer(options.rows, options.kills), Progress("rows", options.rows)

        def on_progress(done: int, total: int) -> None:
            killer(done, total)
            if done % 500 == 0 or done == total:
                progress(done)

        begun = time.monotonic()
        result = run_batch(job, on_progress)
        seconds = time.monotonic() - begun
        counted = count_output(source, out)
    content: Json = {**provenance("ray_batch.py", vars(options)), "cpus": os.cpu_count()}
    content |= {"output": counted, "killed_at": killer.killed_at, "seconds": seconds}
    content |= {"rows_a_second": result.rows / seconds, "load_average": os.getloadavg()[0]}
    print_table(["", "rows"], [[name, str(count)] for name, count in counted.items()])
    print(f"killed at {killer.killed_at}; {result.rows / seconds:.1f} rows a second")
    write_json("ray_batch", content)


if __name__ == "__main__":
    main()
