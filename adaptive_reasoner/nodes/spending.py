"""The budget's question before every model call, and the report's line about it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from langchain_core.messages import BaseMessage

from adaptive_reasoner.budget import Allowance, Spent, allowance
from adaptive_reasoner.budget.limits import NextCall
from adaptive_reasoner.budget.tokens import count_tokens
from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.state import AnsweringNode, BudgetStatus, ReasoningState, ThreadTotals, Usage

# What a call is taken to generate at most where no limit of its own is set.
DEFAULT_OUTPUT_TOKENS = 1024
# Room for what a refine request adds to the thread, in tokens.
_PROMPT_MARGIN = 64


class Purse:
    """Knows the models' names and prices and asks the budgets about the next call."""

    def __init__(self, config: ReasonerConfig, model_names: Mapping[AnsweringNode, str], free: bool) -> None:
        self._config = config
        self._model_names = model_names
        self._cost_usd = 0.0 if free else None

    def ask(
        self,
        state: ReasoningState,
        settings: CallSettings,
        node: AnsweringNode,
        messages: Sequence[BaseMessage] | None = None,
    ) -> Allowance:
        """May `node` make a model call now?

        Args:
            state: the run so far.
            settings: this call's settings; its budgets all hold.
            node: who asks.
            messages: the prompt if it is known already; the thread otherwise.
        """
        calls = len(_rounds(state))
        if calls >= self._config.max_model_calls:
            return Allowance(
                refusal=f"max_model_calls: {calls} of {self._config.max_model_calls} model calls are used"
            )
        if not settings.budgets:
            return Allowance(max_output_tokens=self._config.max_output_tokens)
        allowed = allowance(settings.budgets, spent_by_scope(state), self._next_call(state, node, messages))
        limits = [n for n in (allowed.max_output_tokens, self._config.max_output_tokens) if n is not None]
        return Allowance(allowed.refusal, min(limits, default=None))

    def _next_call(
        self, state: ReasoningState, node: AnsweringNode, messages: Sequence[BaseMessage] | None
    ) -> NextCall:
        prompt = messages if messages is not None else state.get("messages", [])
        count = count_tokens(prompt, self._model_names[node])
        # An approximate count may be short by a third; a budget must hold all the same.
        tokens = count.tokens if count.exact else count.tokens * 4 // 3
        margin = 0 if messages is not None else _PROMPT_MARGIN
        return NextCall(
            tokens + margin, self._config.max_output_tokens or DEFAULT_OUTPUT_TOKENS, self._cost_usd
        )


def spent_by_scope(state: ReasoningState) -> dict[str, Spent]:
    """What this query and its whole thread have used so far."""
    query = _query_spent(state)
    before = state.get("thread_totals") or no_totals()
    return {
        "query": query,
        "thread": Spent(
            before["tokens"] + query.tokens,
            before["model_calls"] + query.model_calls,
            before["seconds"] + query.seconds,
            add_costs(before["cost_usd"], query.cost_usd),
        ),
    }


def budget_status(state: ReasoningState, settings: CallSettings) -> BudgetStatus | None:
    """The report's line about the budgets; None if there are none and no cap stopped the run."""
    stopped_by = state["turn"]["stopped_by"] if "turn" in state else None
    if not settings.budgets and stopped_by is None:
        return None
    spent = _query_spent(state)
    return {
        "limits": [
            {key: value for key, value in asdict(budget).items() if value is not None}
            for budget in settings.budgets
        ],
        "exhausted": stopped_by,
        "used_tokens": spent.tokens,
        "used_model_calls": spent.model_calls,
        "used_seconds": spent.seconds,
    }


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
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def no_totals() -> ThreadTotals:
    """A thread that has not used anything."""
    return {"tokens": 0, "model_calls": 0, "seconds": 0.0, "cost_usd": 0.0}


def _query_spent(state: ReasoningState) -> Spent:
    rounds = _rounds(state)
    usage = total_usage([one["usage"] for one in rounds])
    started = state["turn"]["started_at"] if "turn" in state else time.time()
    return Spent(usage["total_tokens"], len(rounds), max(0.0, time.time() - started), usage["cost_usd"])


def _rounds(state: ReasoningState) -> list[Any]:
    return list(state["reasoning"]["rounds"]) if "reasoning" in state else []
