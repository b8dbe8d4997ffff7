"""Recorded runs in other shapes: for training triage, for a person who labels, and for a table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from adaptive_reasoner.state import MODE_OF_NODE
from adaptive_reasoner.traces.labels import LabelledRun
from adaptive_reasoner.traces.triage_examples import triage_examples

Purpose = Literal["answers", "labels", "triage"]
Row = Mapping[str, Any]


def export_rows(runs: Sequence[LabelledRun], purpose: Purpose) -> list[Row]:
    """The runs as rows of plain JSON.

    Args:
        runs: recorded.
        purpose: "answers", a row for each answer that was given; "labels", the unlabelled runs with a label to fill
            in; "triage", examples for `train triage`.
    """
    shape: dict[Purpose, Callable[[Sequence[LabelledRun]], Sequence[Row]]] = {
        "answers": _answers,
        "labels": _open_labels,
        "triage": triage_examples,
    }
    return list(shape[purpose](runs))


def _answers(runs: Sequence[LabelledRun]) -> list[Row]:
    return [_answer(run, index) for run in runs for index in range(len(run.record["report"]["rounds"]))]


def _answer(run: LabelledRun, index: int) -> Row:
    record, report = run.record, run.record["report"]
    one = report["rounds"][index]
    return {
        "run_id": record["run_id"],
        "recorded_at": record["recorded_at"],
        "thread_id": record["thread_id"],
        "tenant": record["tenant"],
        "question": record["question"],
        "triage": report["triage"]["source"],
        "round": index,
        "mode": MODE_OF_NODE[one["node"]],
        "model": record["models"][index],
        "answer": record["answers"][index],
        "correct": run.rounds_correct[index],
        "risk": one["signal"]["risk"],
        "verdict": one["verdict"],
        "handed_on": index == report["accepted_round"],
        "total_tokens": one["usage"]["total_tokens"],
        "cost_usd": one["usage"]["cost_usd"],
        "latency_seconds": one["latency_seconds"],
    }


def _open_labels(runs: Sequence[LabelledRun]) -> list[Row]:
    """`correct` or `answer` is to be filled in; lines that are left as they are say nothing."""
    return [
        {
            "run_id": run.record["run_id"],
            "question": run.record["question"],
            "given": run.record["answer"],
            "correct": None,
            "answer": None,
        }
        for run in runs
        if run.correct is None
    ]
