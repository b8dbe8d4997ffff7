"""What recorded runs come to: pure functions from labelled runs to figures; what is not known stays None."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

import numpy as np

from adaptive_reasoner.errors import BudgetExhaustedError
from adaptive_reasoner.state import MODE_OF_NODE, Mode, Round, RunRecord, Verdict
from adaptive_reasoner.traces.labels import LabelledRun, gives_answer
from adaptive_reasoner.traces.rates import Rate, check_risks, rate

_SHARED = {
    "max_tokens": "tokens", "max_model_calls": "model_calls", "max_seconds": "seconds", "max_usd": "cost_usd",
}  # fmt: skip

Runs = Sequence[LabelledRun]
Figures = dict[str, Any]


def rounds_of(record: RunRecord) -> list[Round]:
    """The calls that were made; a call that a budget forbade is none."""
    return [one for one in record["report"]["rounds"] if one.get("error") != BudgetExhaustedError.code]


def has_thought(run: LabelledRun) -> bool:
    """Whether the deep model was asked."""
    return any(one["node"] == "deep_think" for one in rounds_of(run.record))


def starts_fast(run: LabelledRun) -> bool:
    """Whether the fast model was asked first, so that the gate decided on thinking."""
    rounds = rounds_of(run.record)
    return bool(rounds) and rounds[0]["node"] == "fast_answer"


def is_accepted(run: LabelledRun) -> bool:
    """Whether the gate accepted the answer; one that a person settled is another matter."""
    rounds = run.record["report"]["rounds"]
    return bool(rounds) and rounds[-1]["verdict"] == "accept"


def error_of(runs: Runs) -> Rate:
    """The share of wrong answers among the labelled runs; its mean is None where none is labelled."""
    return rate(not run.correct for run in runs if run.correct is not None)


def answers_of(runs: Runs, mode: Mode) -> Iterator[tuple[Round, bool | None]]:
    """Each answer that was given in `mode`, with whether it was right."""
    for run in runs:
        for one, correct in zip(run.record["report"]["rounds"], run.rounds_correct, strict=True):
            if MODE_OF_NODE[one["node"]] == mode and gives_answer(one):
                yield one, correct


def thinking(runs: Runs, *, least_share: float | None = None, most_share: float | None = None) -> Figures:
    """The share of runs that thought, beside what it should be, and of those that refined.

    Bounds that are not given are those that the newest run was allocated under, if it was.
    """
    kept = runs[-1].record["report"].get("allocation", {})
    if kept.get("kind") == "thinking_share":
        most_share = kept["most"] if most_share is None else most_share
        least_share = kept["least"] or None if least_share is None else least_share
    share = rate(map(has_thought, runs))
    status = "no bound given" if least_share is None and most_share is None else "within"
    if least_share is not None and share.high < least_share:
        status = "below the least share"
    if most_share is not None and share.low > most_share:
        status = "above the most"
    refined = rate(any(one["node"] == "refine" for one in rounds_of(run.record)) for run in runs)
    return {
        "share": share.to_json(),
        "refined": refined.to_json(),
        "least_share": least_share,
        "most_share": most_share,
        "status": status,
        "allocation": kept or None,
    }


def routes(runs: Runs) -> list[Figures]:
    """For each source of triage's decisions: how many runs, how many thought, and how many were wrong."""
    return [
        {
            "source": source,
            "runs": len(group),
            "began_thinking": sum(not starts_fast(run) for run in group),
            "thought": rate(map(has_thought, group)).to_json(),
            "error": error_of(group).to_json(),
        }
        for source, group in grouped(runs, lambda run: run.record["report"]["triage"]["source"])
    ]


def verdicts(runs: Runs) -> dict[str, int]:
    """How the runs ended, by the verdict on the last round."""
    every = [run.record["report"]["rounds"] for run in runs]
    ends = Counter(rounds[-1]["verdict"] for rounds in every if rounds)
    return {verdict: ends[verdict] for verdict in get_args(Verdict) if ends[verdict]}


def risks(runs: Runs) -> dict[str, Figures]:
    """For each mode: the mean predicted risk of the labelled answers beside the share that was wrong."""
    return {mode: _risk(list(answers_of(runs, mode))) for mode in get_args(Mode)}


def _risk(answers: Sequence[tuple[Round, bool | None]]) -> Figures:
    known = [
        (risk, not correct)
        for one, correct in answers
        if correct is not None and (risk := one["signal"]["risk"]) is not None
    ]
    predicted, wrong = [risk for risk, _ in known], [is_wrong for _, is_wrong in known]
    return {
        "answers": len(answers),
        "without_risk": sum(one["signal"]["risk"] is None for one, _ in answers),
        "labelled": len(known),
        "predicted": float(np.mean(predicted)) if predicted else None,
        "wrong": rate(wrong).to_json(),
        "status": check_risks(predicted, wrong),
    }


def spend(runs: Runs) -> Figures:
    """Tokens, calls and money, and how often a budget stopped a run; the cost of an unpriced call is unknown."""
    reports = [run.record["report"] for run in runs]
    costs = [report["usage"]["cost_usd"] for report in reports]
    limited = [report["budget"] for report in reports if report["budget"]]
    stopped = Counter(str(budget["exhausted"]).partition(":")[0] for budget in limited if budget["exhausted"])
    return {
        "tokens": spread([report["usage"]["total_tokens"] for report in reports]),
        "calls": spread([calls_of(run.record) for run in runs]),
        "usd": {
            "known_total": sum(cost for cost in costs if cost is not None),
            "runs_of_unknown_cost": sum(cost is None for cost in costs),
        },
        "budget": {
            "runs_under_one": sum(bool(budget["limits"]) for budget in limited),
            "stopped": dict(stopped),
            "limits": _most_used(limited),
            "accounts": _accounts(limited),
        },
    }


def latency(runs: Runs) -> Figures:
    """Seconds that the model calls of a run took together."""
    return spread([sum(one["latency_seconds"] for one in rounds_of(run.record)) for run in runs])


def spread(values: Sequence[float]) -> Figures:
    """Total, mean, median and 95th percentile."""
    table = np.array(values, dtype=np.float64)
    return {
        "total": float(table.sum()),
        "mean": float(table.mean()),
        "p50": float(np.quantile(table, 0.5)),
        "p95": float(np.quantile(table, 0.95)),
    }


def grouped(runs: Runs, key: Callable[[LabelledRun], str]) -> list[tuple[str, list[LabelledRun]]]:
    """The runs by `key`, the largest group first."""
    groups: dict[str, list[LabelledRun]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return sorted(groups.items(), key=lambda item: -len(item[1]))


def calls_of(record: RunRecord) -> int:
    """Model calls of the run, with those that its signals took."""
    return sum(1 + one.get("signal_calls", 0) for one in rounds_of(record))


def _most_used(budgets: Sequence[Any]) -> list[Figures]:
    """For each limit of a query: the mean and the largest share of it that was used."""
    shares: dict[tuple[str, float], list[float]] = {}
    for budget in budgets:
        for limits in budget["limits"]:
            if limits.get("per", "query") == "query":
                for name, used in (("max_tokens", "used_tokens"), ("max_model_calls", "used_model_calls")):
                    if limits.get(name) and used in budget:
                        shares.setdefault((name, limits[name]), []).append(budget[used] / limits[name])
    return [
        {"limit": name, "value": value, "mean_share": float(np.mean(used)), "most_share": max(used)}
        for (name, value), used in shares.items()
    ]


def _accounts(budgets: Sequence[Any]) -> list[Figures]:
    """What is used of the limits that runs share (a thread's, a tenant's, a day's), as the newest run found it."""
    newest: dict[tuple[str, str], Figures] = {}
    for budget in budgets:
        for account, used in budget.get("accounts", {}).items():
            for row in _used_of(account, used, budget["limits"]):
                newest[account, row["limit"]] = row
    return list(newest.values())


def _used_of(account: str, used: dict[str, Any], limits: Sequence[dict[str, Any]]) -> list[Figures]:
    return [
        {"account": account, "limit": limit, "value": one[limit], "used": used.get(name)}
        for one in limits
        if account.startswith(f"{one.get('per', 'query')}:")
        for limit, name in _SHARED.items()
        if one.get(limit)
    ]
