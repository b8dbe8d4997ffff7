"""`adaptive-reasoner batch`: a file of questions in, a file of answers out; a run that was ended goes on."""

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.cli import options
from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.batch import BatchResult

ROWS_FAILED = 4
# Between two lines of progress, so that a million rows are no million writes.
_PAUSE_SECONDS = 0.2


class BatchEngine(StrEnum):
    """What a batch runs on."""

    LOCAL = "local"
    RAY = "ray"


def batch(  # noqa: PLR0913, PLR0917 - a command's options are its parameters
    file: Annotated[
        Path, typer.Argument(help="JSON Lines (.gz too): question, messages, or rows of OpenAI's Batch API.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where the answers go; default FILE's name and .answers.jsonl.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Who answers rows that name no model: adaptive, fast, deep.")
    ] = "adaptive",
    config: Annotated[
        Path | None,
        typer.Option(envvar="ADAPTIVE_REASONER_CONFIG", help="The server's settings.", metavar="FILE"),
    ] = None,
    fast: options.Fast = None,
    deep: options.Deep = None,
    base_url: options.BaseUrl = None,
    api_key_env: options.ApiKeyEnv = None,
    budget_tokens: options.BudgetTokens = None,
    budget_per: options.BudgetPer = options.BudgetScope.QUERY,
    tenant: options.Tenant = None,
    ledger: options.LedgerUrl = None,
    engine: Annotated[
        BatchEngine, typer.Option(help="local: this process; ray: Ray Data, on its cluster.")
    ] = BatchEngine.LOCAL,
    workers: Annotated[
        int, typer.Option(min=1, max=1024, help="Rows answered at a time, by each process.")
    ] = 16,
    processes: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes of --engine ray; default one a CPU.")
    ] = None,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Ask rows again that failed in an earlier run.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what came of it as one JSON object.")
    ] = False,
) -> None:
    """Answer a file of questions; run again, it goes on where it was."""
    _check_extra()
    from adaptive_reasoner.batch import BatchJob, run_batch
    from adaptive_reasoner.server.config import load_settings

    limit = None if budget_tokens is None else [{"max_tokens": budget_tokens, "per": budget_per.value}]
    given: dict[str, dict[str, Any]] = {
        "models": {"fast": fast, "deep": deep, "base_url": base_url, "api_key_env": api_key_env},
        "policy": {"budgets": limit, "ledger": ledger},
    }
    named = {
        name: {key: one for key, one in table.items() if one is not None} for name, table in given.items()
    }
    job = BatchJob(
        source=file,
        out=out or _beside(file),
        settings=load_settings(config, given=named),
        model=model,
        engine=engine.value,
        workers=workers,
        processes=processes,
        tenant=tenant,
        retries_errors=retry_errors,
    )
    if job.out.resolve() == file.resolve():
        raise ConfigurationError("--out is the input itself; name another file.")
    _say(run_batch(job, _progress()), job.out, as_json=as_json)


def _beside(file: Path) -> Path:
    """`questions.jsonl.gz` is answered in `questions.answers.jsonl`."""
    return file.with_name(f"{file.name.removesuffix('.gz').removesuffix('.jsonl')}.answers.jsonl")


def _progress() -> Callable[[int, int], None] | None:
    if not sys.stderr.isatty():
        return None
    last = 0.0

    def show(done: int, total: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last > _PAUSE_SECONDS or done == total:
            last = now
            end = "\n" if done == total else ""
            print(f"\r{done} of {total} rows done", end=end, file=sys.stderr, flush=True)

    return show


def _say(result: "BatchResult", out: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(result), "out": str(out)}))
    else:
        typer.echo(
            f"{result.rows} rows: {result.answered} answered, {result.failed} failed; {result.new} in this run, "
            f"{result.tokens} tokens, {result.seconds:.1f} s. Answers: {out}"
        )
    if result.failed:
        raise typer.Exit(ROWS_FAILED)


def _check_extra() -> None:
    if find_spec("fastapi") is None:
        raise MissingExtraError('batch needs the extra "server": pip install "adaptive-reasoner[server]".')
