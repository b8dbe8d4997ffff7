"""What does the server add to an upstream's time, and how much does it carry? Beside LiteLLM's proxy and RouteLLM's.

    python benchmarks/server_load.py --litellm /path/to/litellm --routellm /path/to/routellm/python --requests 1000

The upstream answers after a fixed delay, with log probabilities where they are asked for. Every server is one process
with its defaults; each is asked by the same bounded client, one after the other, round by round, and the upstream alone
in each round, too: what a server adds is its p50 (p99) less the upstream's of the same round. "adaptive" is the loop
(triage, one call with log probabilities, gate, report), "fast" one call with its report; LiteLLM passes a call on;
RouteLLM routes by its `random` router, the cheapest that it has. RouteLLM and LiteLLM run in environments of their
own. With `--workers N`, our server (over a Postgres, which its workers share) and LiteLLM's are asked with N processes
each, beside those of one process. Latencies at many clients are those of a queue: compare requests a second there.
`--soak N` asks "adaptive" N more times and watches the server's memory. The load average is part of the result: other
work on the machine shows in it.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring.databases import databases
from measuring.report import Progress, print_table, provenance, write_json
from measuring.servers import cpu_seconds, free_port, ours, resident_mib, running, stub
from measuring.stub_upstream import Load, Target, load
from scipy.stats import bootstrap

Json = dict[str, Any]
UPSTREAM = "upstream alone"


@contextmanager
def litellm(command: str, upstream: str, folder: Path, workers: int = 1) -> Generator[Target]:
    """LiteLLM's proxy before `upstream`."""
    port, config = free_port(), folder / "litellm.yaml"
    params = {"model": "openai/stub", "api_base": upstream, "api_key": "none"}
    config.write_text(json.dumps({"model_list": [{"model_name": "stub", "litellm_params": params}]}))
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    words = [command, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    words += ["--num_workers", str(workers)] if workers > 1 else []
    with running(words, f"http://127.0.0.1:{port}/health/liveliness", folder, environment):
        yield Target(f"http://127.0.0.1:{port}/v1", "stub")


@contextmanager
def routellm(python: str, upstream: str, folder: Path) -> Generator[Target]:
    """RouteLLM's server before `upstream`."""
    port = free_port()
    words = [python, "-m", "routellm.openai_server", "--routers", "random", "--port", str(port)]
    models = ["--strong-model", "openai/stub", "--weak-model", "openai/stub"]
    more = ["--base-url", upstream, "--api-key", "none"]
    environment = {
        "OPENAI_API_KEY": "none",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HF_HUB_OFFLINE": "1",
    }
    with running([*words, *models, *more], f"http://127.0.0.1:{port}/health", folder, environment):
        yield Target(f"http://127.0.0.1:{port}/v1", "router-random-0.5")


def by_workers(
    stack: ExitStack, upstream: str, folder: Path, options: argparse.Namespace
) -> dict[str, Target]:
    """Our server and LiteLLM's with several processes each."""
    workers, kinds = options.workers, stack.enter_context(databases())
    if "postgres" not in kinds:
        raise SystemExit("--workers needs a Postgres: install the dependency group `postgres`.")
    url, _ = stack.enter_context(ours(upstream, folder, db=kinds["postgres"]("load"), workers=workers))
    targets = {f"adaptive, {workers} workers": Target(url, "adaptive")}
    if options.litellm:
        proxy = litellm(options.litellm, upstream, folder, workers)
        targets[f"LiteLLM, {workers} workers"] = stack.enter_context(proxy)
    return targets


def summary(loads: list[Load], alone: list[Load]) -> Json:
    """One server at one number of clients: its rounds together, and what it added round by round."""
    seconds = np.concatenate([np.asarray(one.seconds) for one in loads])
    added = {
        f"added_p{q}_ms": [
            1000 * float(np.percentile(one.seconds, q) - np.percentile(base.seconds, q))
            for one, base in zip(loads, alone, strict=True)
        ]
        for q in (50, 99)
    }
    row: Json = {"n": len(seconds), "errors": sum(one.errors for one in loads)}
    row |= {f"p{q}_ms": 1000 * float(np.percentile(seconds, q)) for q in (50, 99)}
    for name, values in added.items():
        row[name] = float(np.median(values))
    row["added_p50_ms_by_round"] = added["added_p50_ms"]
    if len(loads) > 2:
        found = bootstrap((added["added_p50_ms"],), np.mean, rng=0, method="percentile")
        row["added_p50_ms_interval"] = list(found.confidence_interval)
    row["requests_a_second"] = sum(len(one.seconds) for one in loads) / sum(one.wall for one in loads)
    return row


def measure(targets: dict[str, Target], options: argparse.Namespace) -> Json:
    """All servers at all numbers of clients, in turns; the order turns, too."""
    names, result = list(targets), {}
    progress, done = Progress("rounds", len(options.clients) * options.rounds), 0
    for target in targets.values():
        warm = asyncio.run(load(target, 4, 40))
        if warm.errors:
            raise SystemExit(f"{target.base_url} fails: {warm.statuses}")
    for clients in options.clients:
        loads: dict[str, list[Load]] = {name: [] for name in names}
        for turn in range(options.rounds):
            for place in range(len(names)):
                name = names[(place + turn) % len(names)]
                count = max(options.requests // options.rounds, clients)
                loads[name].append(asyncio.run(load(targets[name], clients, count)))
            done += 1
            progress(done)
        result[str(clients)] = {name: summary(loads[name], loads[UPSTREAM]) for name in names}
        result[str(clients)]["load_average"] = os.getloadavg()[0]
    return result


def soak(target: Target, pid: int, requests: int, clients: int) -> Json:
    """Memory of the server while it answers `requests`, in ten parts."""
    sizes, errors, begun = [resident_mib(pid)], 0, cpu_seconds(pid)
    progress = Progress("soak, tenths", 10)
    for part in range(10):
        seen = asyncio.run(load(target, clients, requests // 10))
        errors += seen.errors
        sizes.append(resident_mib(pid))
        progress(part + 1)
    a_request = 1000 * (cpu_seconds(pid) - begun) / requests
    return {"requests": requests, "errors": errors, "resident_mib": sizes, "cpu_ms_a_request": a_request}


def show(result: Json) -> None:
    header = ["clients, server", "n", "errors", "p50 ms", "p99 ms", "added p50", "added p99", "requests/s"]
    rows: list[list[str]] = []
    for clients, servers in result.items():
        for name, row in servers.items():
            if name != "load_average":
                cells = ("p50_ms", "p99_ms", "added_p50_ms", "added_p99_ms", "requests_a_second")
                numbers = [f"{row[cell]:.1f}" for cell in cells]
                rows.append([f"{clients:>3}  {name}", str(row["n"]), str(row["errors"]), *numbers])
    print_table(header, rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # pyright: ignore[reportOptionalMemberAccess]
    parser.add_argument("--requests", type=int, default=1000, help="of each server at each number of clients")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--delay", type=float, default=0.05, help="of the upstream, seconds")
    parser.add_argument("--litellm", default="", help="LiteLLM's command; without it, it is left out")
    parser.add_argument(
        "--routellm", default="", help="a Python that has RouteLLM; without it, it is left out"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes of ours and LiteLLM's, measured, too"
    )
    parser.add_argument("--soak", type=int, default=0, help="further requests, for memory")
    parser.add_argument("--name", default="server_load", help="of the result")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        upstream = stack.enter_context(stub(options.delay, folder))
        url, process = stack.enter_context(ours(upstream, folder))
        targets = {
            UPSTREAM: Target(upstream, "stub", more={"logprobs": True, "top_logprobs": 20}),
            "adaptive": Target(url, "adaptive"),
            "fast": Target(url, "fast"),
        }
        if options.litellm:
            targets["LiteLLM"] = stack.enter_context(litellm(options.litellm, upstream, folder))
        if options.routellm:
            targets["RouteLLM"] = stack.enter_context(routellm(options.routellm, upstream, folder))
        if options.workers > 1:
            targets |= by_workers(stack, upstream, folder, options)
        result = measure(targets, options)
        show(result)
        content: Json = {**provenance("server_load.py", _told(options)), "cpus": os.cpu_count()}
        content["by_clients"] = result
        if options.soak:
            content["soak"] = soak(targets["adaptive"], process.pid, options.soak, 16)
            print(f"\nsoak: {content['soak']}", file=sys.stderr)
    write_json(options.name, content)


def _told(options: argparse.Namespace) -> Json:
    """The settings, without where things lie on this machine."""
    told = {**vars(options), "litellm": bool(options.litellm), "routellm": bool(options.routellm)}
    return {**told, "clients": " ".join(map(str, options.clients))}


if __name__ == "__main__":
    main()
