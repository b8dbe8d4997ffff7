"""What the state says was spent, and the report's line about the budgets."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from adaptive_reasoner.budget import Spent
from adaptive_reasoner.errors import BudgetExhaustedError
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.state import (
    Attempt,
    BudgetStatus,
    ReasoningState,
    Round,
    ThreadTotals,
    Usage,
)


def spent_by_scope(state: ReasoningState) -> dict[str, Spent]:
    """What this query, earlier runs for it included, and its whole thread have used so far."""
    run = run_spent(state)
    return {
        "query": run + _begun(state),
        "thread": Spent(**(state.get("thread_totals") or no_totals())) + run,
    }


def thread_totals(state: ReasoningState) -> ThreadTotals:
    """What the thread has used, this turn included."""
    spent = spent_by_scope(state)["thread"]
    return {
        "tokens": spent.tokens,
        "model_calls": spent.model_calls,
        "seconds": spent.seconds,
        "cost_usd": spent.cost_usd,
    }


def with_abandoned_turn(state: ReasoningState) -> ReasoningState:
    """Book what a turn spent that never reached hand_off: it was cut short, and a new question came instead."""
    if not state.get("candidates"):
        return state
    before, attempt = state.get("thread_totals") or no_totals(), state["turn"]["attempt"]
    calls: list[Round | Attempt] = [*_made(state)]
    if attempt and not attempt["refused_by"]:
        calls.append(attempt)
    probes = probe_usages(state)
    usage = total_usage([*probes, *(one["usage"] for one in calls)])
    totals: ThreadTotals = {
        "tokens": before["tokens"] + usage["total_tokens"],
        "model_calls": before["model_calls"] + _count_calls(calls) + len(probes),
        "seconds": before["seconds"] + sum(one["latency_seconds"] for one in calls),
        "cost_usd": add_costs(before["cost_usd"], usage["cost_usd"]),
    }
    return {**state, "candidates": [], "thread_totals": totals}


def budget_status(
    state: ReasoningState, settings: CallSettings, accounts: Mapping[str, Spent] | None = None
) -> BudgetStatus | None:
    """The report's line about the budgets; None if there are none and no cap stopped the run.

    Args:
        state: of the finished turn.
        settings: whose budgets held.
        accounts: what is used of those that are counted in the ledger.
    """
    stopped_by = state["turn"]["stopped_by"] if "turn" in state else None
    if not settings.budgets and stopped_by is None:
        return None
    spent = run_spent(state) + _begun(state)
    status: BudgetStatus = {
        "limits": [
            {key: value for key, value in asdict(budget).items() if value is not None}
            for budget in settings.budgets
        ],
        "exhausted": stopped_by,
        "used_tokens": spent.tokens,
        "used_model_calls": spent.model_calls,
        "used_seconds": spent.seconds,
        "used_usd": spent.cost_usd,
    }
    if accounts:
        status["accounts"] = {name: asdict(used) for name, used in accounts.items()}
    return status


def total_usage(usages: Sequence[Usage]) -> Usage:
    """The sum of several calls; the cost is unknown if one of them is."""
    total: dict[str, Any] = {
        key: sum(usage[key] for usage in usages)
        for key in ("input_tokens", "output_tokens", "reasoning_tokens", "total_tokens")
    }
    total["cost_usd"] = add_costs(*(usage["cost_usd"] for usage in usages))
    return cast("Usage", total)


def add_costs(*costs: float | None) -> float | None:
    """The sum in USD, None if one part is unknown."""
    return None if None in costs else sum((cost for cost in costs if cost is not None), 0.0)


def no_totals() -> ThreadTotals:
    """A thread that has not used anything."""
    return {"tokens": 0, "model_calls": 0, "seconds": 0.0, "cost_usd": 0.0}


def _begun(state: ReasoningState) -> Spent:
    begun = state["turn"].get("begun") if "turn" in state else None
    return Spent(**begun) if begun else Spent()


def run_spent(state: ReasoningState) -> Spent:
    """What this run has used so far."""
    made, probes = _made(state), probe_usages(state)
    usage = total_usage([*probes, *(one["usage"] for one in made)])
    calls = _count_calls(made) + len(probes)
    return Spent(usage["total_tokens"], calls, _seconds(state, made), usage["cost_usd"])


def probe_usages(state: ReasoningState) -> list[Usage]:
    """What triage's own model call took: one usage, or none where it made no call."""
    usage = state["reasoning"]["triage"].get("usage") if "reasoning" in state else None
    return [] if usage is None else [usage]


def _count_calls(made: Sequence[Round | Attempt]) -> int:
    """One call for each answer, and those that were made to find out how sure it is."""
    return sum(1 + one.get("signal_calls", 0) for one in made)


def _seconds(state: ReasoningState, made: Sequence[Round]) -> float:
    """Seconds since the question came; of a turn that waited for a person, those of its calls."""
    if "reasoning" in state and "review" in state["reasoning"]:
        return sum(one["latency_seconds"] for one in made)
    started = state["turn"]["started_at"] if "turn" in state else time.time()
    return max(0.0, time.time() - started)


def _made(state: ReasoningState) -> list[Round]:
    """The rounds without those whose call the budget forbade."""
    return [one for one in rounds_of(state) if one.get("error") != BudgetExhaustedError.code]


def rounds_of(state: ReasoningState) -> list[Round]:
    """The turn's rounds so far."""
    return list(state["reasoning"]["rounds"]) if "reasoning" in state else []
