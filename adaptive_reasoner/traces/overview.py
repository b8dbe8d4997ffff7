"""All runs of a store at a glance: cost, thinking, triggers, calibration over time, rationales, worst questions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Connection

from adaptive_reasoner.state import Verdict
from adaptive_reasoner.traces.rates import rate_of
from adaptive_reasoner.traces.store import aggregates
from adaptive_reasoner.traces.store.database import TraceDatabase
from adaptive_reasoner.traces.store.keeping import newest_records
from adaptive_reasoner.traces.store.reading import EVERY, Chosen
from adaptive_reasoner.traces.store.tables import CONTRADICTED, FIGURES

WORST = 8  # questions of a kind
_LOOKED_AT = 100  # runs of a kind that they are found among
_MOST_GROUPS = 12
_MOST_STEPS = 3  # uncertain ones of a thought
_LONGEST_TEXT = 300  # characters of a question or an answer
_GROUPED = {"triage": "source", "models": "model", "tenants": "tenant"}
_VERDICTS: tuple[str, ...] = get_args(Verdict)
_SHARES = (0.5, 0.95, 0.99)
Figures = dict[str, Any]
_Counts = Mapping[str, Any]


def overview(database: TraceDatabase, chosen: Chosen = EVERY) -> Figures:
    """The figures of the chosen runs, as plain JSON; what is not known is null.

    Args:
        database: a store.
        chosen: which runs, by time and tenant.

    Raises:
        TraceStoreError: the store cannot be read.
    """
    where = chosen.conditions()
    with database.reading() as db:
        ends = aggregates.extent(db, where)
        if ends is None:
            return {"runs": 0}
        first, last = ends
        width = aggregates.window_width(first, last)
        begin = first // width * width
        rows = aggregates.by_strata(db, where, (begin, width))
        total = aggregates.added_up(rows)[0]
        verdicts = aggregates.count_words(rows, "verdict")
        return {
            "runs": total["runs"],
            "from": _date(first),
            "until": _date(last),
            "window_seconds": width,
            **_described(total),
            "tokens": _spread(db, where, "total_tokens", total),
            "milliseconds": _spread(db, where, "milliseconds", total),
            "windows": [
                {"from": _date(begin + index * width), **_described(sums)}
                for index, sums in sorted(aggregates.added_up(rows, "window").items())
            ],
            "verdicts": {name: verdicts[name] for name in _VERDICTS if name in verdicts},
            "stopped_by": {
                str(name): count
                for name, count in aggregates.count_words(rows, "stopped_by").items()
                if name is not None
            },
            "reliability": [_bin(row) for row in aggregates.reliability(db, where)],
            **{name: _groups(rows, column) for name, column in _GROUPED.items()},
            "worst": _worst(db, where),
        }


def _described(row: _Counts) -> Figures:
    """Rates and sums of a group of runs; `triggers` are shares of what each could have been triggered by."""
    runs, judged = row["runs"], row["judged"]
    return {
        "runs": runs,
        "labelled": row["labelled"],
        "thinking": rate_of(row["thought"], runs).to_json(),
        "error": rate_of(row["wrong"], row["labelled"]).to_json(),
        "triggers": {
            "escalated": rate_of(row["escalated"], row["began_fast"]).to_json(),
            "refined": rate_of(row["refined"], runs).to_json(),
            "reviewed": rate_of(row["reviewed"], runs).to_json(),
            "gave_up": rate_of(row["gave_up"], runs).to_json(),
            "stopped_by_budget": rate_of(row["stopped"], runs).to_json(),
            "failed_calls": rate_of(row["failed"], runs).to_json(),
        },
        "calibration": {
            "predicted": row["judged_risk"] / judged if judged else None,
            "wrong": rate_of(row["judged_wrong"], judged).to_json(),
        },
        "rationale": {
            "agreed": rate_of(row["agreed"], row["checked"]).to_json(),
            "error_where_agreed": rate_of(row["agreed_wrong"], row["agreed_labelled"]).to_json(),
            "error_where_not": rate_of(row["differed_wrong"], row["differed_labelled"]).to_json(),
        },
        "spend": {
            "total_tokens": row["total_tokens"],
            "reasoning_tokens": row["reasoning_tokens"],
            "calls": row["calls"],
            "known_usd": row["cost_usd"],
            "usd_a_run": row["cost_usd"] / row["priced"] if row["priced"] else None,
            "runs_of_unknown_cost": runs - row["priced"],
        },
    }


def _groups(rows: Sequence[Figures], column: str) -> list[Figures]:
    """The most frequent values of a column, the most frequent first."""
    groups = aggregates.added_up(rows, column)
    names = list(aggregates.count_words(rows, column))[:_MOST_GROUPS]
    return [{"name": name, **_described(groups[name])} for name in names]


def _bin(row: _Counts) -> Figures:
    return {
        "from": row["from"],
        "risk": row["risk"],
        "wrong": rate_of(row["wrong"], row["answers"]).to_json(),
    }


def _spread(db: Connection, where: Sequence[Any], column: str, total: _Counts) -> Figures:
    runs = total["runs"]
    p50, p95, p99 = aggregates.quantiles(db, where, column, _SHARES, runs)
    return {"mean": total[column] / runs, "p50": p50, "p95": p95, "p99": p99}


def _worst(db: Connection, where: Sequence[Any]) -> dict[str, list[Figures]]:
    """Questions to look at: wrong ones that passed for sure first; each kind lies along an index."""
    run = FIGURES.c
    kinds: dict[str, tuple[list[Any], list[Any]]] = {
        "sure_and_wrong": ([run.correct == 0, run.risk.is_not(None)], [run.risk, run.recorded_at]),
        "contradicted_by_its_rationale": ([CONTRADICTED], [run.recorded_at.desc()]),
        "most_doubted": (
            [run.correct.is_(None), run.risk.is_not(None)],
            [run.risk.desc(), run.recorded_at.desc()],
        ),
        "most_tokens": ([], [run.total_tokens.desc(), run.recorded_at.desc()]),
    }
    found = {
        name: aggregates.top_runs(db, [*of_kind, *where], order, _LOOKED_AT)
        for name, (of_kind, order) in kinds.items()
    }
    texts = newest_records(db, {row["run_id"] for rows in found.values() for row in rows})
    return {
        name: _each_once([_shown(row, texts.get(row["run_id"])) for row in rows])
        for name, rows in found.items()
    }


def _each_once(rows: Sequence[Figures]) -> list[Figures]:
    """A question that was asked again and again is one of the worst only once."""
    by_question: dict[str, Figures] = {}
    for row in rows:
        by_question.setdefault(row["question"] or row["run_id"], row)
    return list(by_question.values())[:WORST]


def _shown(row: _Counts, record: Any) -> Figures:
    """A run by its texts, which are null where its record was pruned."""
    return {
        "run_id": row["run_id"],
        "question": _short(record["question"]) if record else None,
        "answer": _short(record["answer"]) if record else None,
        "correct": None if row["correct"] is None else bool(row["correct"]),
        "uncertain_steps": _uncertain_steps(record) if record else [],
        **{name: row[name] for name in ("risk", "agreement", "verdict", "total_tokens", "cost_usd")},
    }


def _uncertain_steps(record: Any) -> list[Figures]:
    """Of the answer's thought the steps that the model was least sure of, in their order."""
    report = record["report"]
    rounds = report["rounds"]
    known: list[Figures] = rounds[report["accepted_round"]].get("uncertain_steps", []) if rounds else []
    doubtful = sorted(known, key=lambda one: -one["entropy_nats"])[:_MOST_STEPS]
    return [
        {"text": _short(one["text"]), "entropy_nats": one["entropy_nats"]}
        for one in sorted(doubtful, key=lambda one: one["start"])
    ]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
