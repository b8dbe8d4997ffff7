"""Speed, memory and time to the first answer of the embedded model, each in a fresh process.

    python benchmarks/embedded_footprint.py speed|first_answer|runtime_only

prints one JSON object; `benchmarks/embedded.py` calls it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

QUESTION = "Ann has 12 pens. Tom has 7 more pens than Ann. How many pens does Tom have?"


def measure_all() -> dict[str, Any]:
    """Run every measurement in a process of its own, with one BLAS thread and compiled modules."""
    with tempfile.TemporaryDirectory() as bytecode:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": bytecode}
        results: dict[str, Any] = {}
        for what in ("speed", "first_answer", "runtime_only"):
            command = [sys.executable, __file__, what]
            subprocess.run(command, env=env, check=True, capture_output=True)  # noqa: S603 - compiles, warms the disk
            started = time.perf_counter()
            done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)  # noqa: S603
            results[what] = json.loads(done.stdout)
            results[what]["process_seconds"] = round(time.perf_counter() - started, 3)
            print(f"{what}: {results[what]}", flush=True)
    return results


def speed() -> dict[str, Any]:
    """Single-stream tokens a second on one thread while thinking, over 60 test problems.

    Beside the wall clock, the thread's own CPU time is given: it leaves out the time in which other programs
    had the core (their pressure on the caches stays in).
    """
    from adaptive_reasoner.embedded.dialogue import render_prompt
    from adaptive_reasoner.embedded.generation import GenerationConfig, generate
    from adaptive_reasoner.embedded.problems import generate as problems
    from adaptive_reasoner.embedded.runtime import shipped_runtime

    runtime = shipped_runtime()
    prompts = [render_prompt([("user", problem.question)]) for problem in problems("test", 60, seed=7)]
    rates: dict[str, Any] = {}
    for name, config in (("greedy", GenerationConfig()), ("with_top_20", GenerationConfig(top_logprobs=20))):
        wall, cpu, first = [], [], []
        for prompt in prompts:
            started = time.perf_counter()
            stream = generate(runtime, prompt, "deep", config)
            next(stream)
            after_prompt, busy = time.perf_counter(), time.thread_time()
            count = sum(1 for _ in stream)
            wall.append(count / (time.perf_counter() - after_prompt))
            cpu.append(count / (time.thread_time() - busy))
            first.append(1000 * (after_prompt - started))
        rates[name] = {
            "tokens_per_second": round(statistics.median(wall)),
            "tokens_per_second_best": round(max(wall)),
            "tokens_per_cpu_second": round(statistics.median(cpu)),
            "tokens_per_cpu_second_best": round(max(cpu)),
            "first_token_ms": round(statistics.median(first), 1),
        }
    return rates | {"load_average": [round(load, 2) for load in os.getloadavg()]}


def first_answer() -> dict[str, Any]:
    """Seconds from an empty process to an answer through the chat model, and resident memory."""
    started = time.perf_counter()
    from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel

    imported = time.perf_counter()
    model = EmbeddedChatModel()
    text = model.invoke(QUESTION).text
    answered = time.perf_counter()
    model.invoke(QUESTION, thinking="on")
    return {
        "import_seconds": round(imported - started, 3),
        "first_answer_seconds": round(answered - started, 3),
        "answer": text,
        **_memory(),
    }


def runtime_only() -> dict[str, Any]:
    """The same without LangChain: tokenizer, weights and NumPy alone."""
    started = time.perf_counter()
    from adaptive_reasoner.embedded.dialogue import render_prompt
    from adaptive_reasoner.embedded.generation import generate
    from adaptive_reasoner.embedded.runtime import shipped_runtime

    for mode in ("fast", "deep"):
        count = len(list(generate(shipped_runtime(), render_prompt([("user", QUESTION)]), mode)))
        if mode == "fast":
            answered = time.perf_counter()
    return {"first_answer_seconds": round(answered - started, 3), "deep_tokens": count, **_memory()}


def _memory() -> dict[str, float]:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "resident_mb": round(int(status["VmRSS"].split()[0]) / 1024, 1),
        "peak_resident_mb": round(int(status["VmHWM"].split()[0]) / 1024, 1),
    }


if __name__ == "__main__":
    print(
        json.dumps(
            {"speed": speed, "first_answer": first_answer, "runtime_only": runtime_only}[sys.argv[1]]()
        )
    )
