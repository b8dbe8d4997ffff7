"""One run as one narrow row: what reports are made of, without its texts."""

from datetime import datetime
from typing import Any, get_args

from adaptive_reasoner.state import MODE_OF_NODE, Mode, RunRecord
from adaptive_reasoner.traces.labels import LabelledRun, gives_answer
from adaptive_reasoner.traces.monitoring import calls_of, has_thought, rounds_of, starts_fast

_MOST = 2**63 - 1  # that a column of whole numbers holds
MODES: tuple[Mode, ...] = get_args(Mode)


def flat_row(run: LabelledRun) -> dict[str, Any]:
    """A row of the figures table: a value for each of its columns."""
    record, report = run.record, run.record["report"]
    rounds, made = report["rounds"], rounds_of(run.record)
    usage = report["usage"]
    return {
        "run_id": as_column(record["run_id"]),
        "recorded_at": seconds_of(record),
        "tenant": _name(record["tenant"]),
        "thread_id": _name(record["thread_id"]),
        "version": as_column(record.get("version", "")),
        "model": as_column(record["models"][0] if record["models"] else ""),
        "source": as_column(report["triage"]["source"]),
        "difficulty": min(max(report["triage"]["difficulty"], 0.0), 1.0),
        "verdict": rounds[-1]["verdict"] if rounds else "",
        "kind": report["signal"]["kind"],
        "began_fast": starts_fast(run),
        "thought": has_thought(run),
        "refined": any(one["node"] == "refine" for one in made),
        "reviewed": any(one["verdict"] == "review" for one in rounds),
        "failed": any("error" in one for one in made),
        "stopped_by": _stopped_by(report["budget"]),
        "calls": calls_of(record),
        "input_tokens": min(usage["input_tokens"], _MOST),
        "output_tokens": min(usage["output_tokens"], _MOST),
        "reasoning_tokens": min(usage["reasoning_tokens"], _MOST),
        "total_tokens": min(usage["total_tokens"], _MOST),
        "cost_usd": usage["cost_usd"],
        "milliseconds": round(1000 * sum(one["latency_seconds"] for one in made)),
        "agreement": report.get("rationale_agreement"),
        "risk": report["signal"]["risk"],
        **_by_mode(run),
    }


def seconds_of(record: RunRecord) -> float:
    """When the run was recorded, in seconds since the epoch."""
    return datetime.fromisoformat(record["recorded_at"]).timestamp()


def as_column(text: str) -> str:
    """`text` as every database takes it: without NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _name(text: str | None) -> str | None:
    return None if text is None else as_column(text)


def _by_mode(run: LabelledRun) -> dict[str, Any]:
    """Of each mode's last answer the risk, and whether it was right."""
    row: dict[str, Any] = {"correct": _number(run.correct)}
    for mode in MODES:
        row[f"{mode}_risk"] = row[f"{mode}_correct"] = None
    for one, correct in zip(run.record["report"]["rounds"], run.rounds_correct, strict=True):
        if gives_answer(one):
            mode = MODE_OF_NODE[one["node"]]
            row[f"{mode}_risk"], row[f"{mode}_correct"] = one["signal"]["risk"], _number(correct)
    return row


def _number(correct: bool | None) -> int | None:
    return None if correct is None else int(correct)


def _stopped_by(budget: Any) -> str | None:
    """The limit's name; what follows it are numbers and names."""
    if not budget or not budget["exhausted"]:
        return None
    return as_column(str(budget["exhausted"]).partition(":")[0])
