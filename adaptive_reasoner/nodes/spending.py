"""The budget's question before every model call, and the report's line about it."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, cast

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.budget import Allowance, Spent, allowance
from adaptive_reasoner.budget.limits import NextCall
from adaptive_reasoner.budget.tokens import count_tokens
from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import BudgetExhaustedError
from adaptive_reasoner.nodes.best_round import answered_by_deep
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelRequest, takes_max_tokens
from adaptive_reasoner.state import (
    AnsweringNode,
    Attempt,
    BudgetStatus,
    ReasoningState,
    Round,
    ThreadTotals,
    Usage,
)
from adaptive_reasoner.thinking import is_embedded, model_name_of

# What a call is taken to generate at most where no limit is known: of a model that can be capped, and of others.
CAPPED_OUTPUT_TOKENS = 4096
DEFAULT_OUTPUT_TOKENS = 1024
# Room for what a refine request adds to the thread, in tokens.
_PROMPT_MARGIN = 64


class Purse:
    """Knows the models' names, limits and prices and asks the budgets about the next call."""

    def __init__(self, config: ReasonerConfig, fast: BaseChatModel, deep: BaseChatModel) -> None:
        self._config = config
        self._fast, self._deep = fast, deep

    def ask(
        self,
        state: ReasoningState,
        settings: CallSettings,
        node: AnsweringNode,
        request: ModelRequest | None = None,
        model: BaseChatModel | None = None,
    ) -> Allowance:
        """May `node` make a model call now?

        Args:
            state: the run so far.
            settings: this call's settings; its budgets all hold.
            node: who asks.
            request: what is sent, if it is known already; taken to be the thread and its newest answer otherwise.
            model: who is called, if it is not the one that `node` calls.
        """
        calls = _query_spent(state).model_calls
        if calls >= self._config.max_model_calls:
            return Allowance(
                refusal=f"max_model_calls: {calls} of {self._config.max_model_calls} model calls are used"
            )
        if not settings.budgets:
            return Allowance(max_output_tokens=self._config.max_output_tokens)
        call = self._next_call(model or self._model_of(state, node), state, request)
        allowed = allowance(settings.budgets, spent_by_scope(state), call)
        limits = [n for n in (allowed.max_output_tokens, self._config.max_output_tokens) if n is not None]
        return replace(allowed, max_output_tokens=min(limits, default=None))

    def _model_of(self, state: ReasoningState, node: AnsweringNode) -> BaseChatModel:
        by_deep = node == "deep_think" or (node == "refine" and answered_by_deep(_rounds(state)))
        return self._deep if by_deep else self._fast

    def _next_call(
        self, model: BaseChatModel, state: ReasoningState, request: ModelRequest | None
    ) -> NextCall:
        prompt = (
            request.messages if request else [*state.get("messages", []), *state.get("candidates", [])[-1:]]
        )
        tools = request.kwargs.get("tools", ()) if request else ()
        count = count_tokens(prompt, model_name_of(model), tools)
        # An approximate count may be short by a third; a budget must hold all the same.
        tokens = count.tokens if count.exact else count.tokens * 4 // 3
        return NextCall(
            input_tokens=tokens + (0 if request else _PROMPT_MARGIN),
            output_tokens=self._output_limit(model),
            cost_usd=0.0 if is_embedded(model) else None,
            can_be_capped=takes_max_tokens(model),
        )

    def _output_limit(self, model: BaseChatModel) -> int:
        """The most that one call of `model` generates."""
        if not takes_max_tokens(model):
            return self._config.max_output_tokens or DEFAULT_OUTPUT_TOKENS
        own = getattr(model, "max_tokens", None) or (model.profile or {}).get("max_output_tokens")
        known = [limit for limit in (self._config.max_output_tokens, own) if limit]
        return min(known, default=CAPPED_OUTPUT_TOKENS)


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
    usage = total_usage([one["usage"] for one in calls])
    totals: ThreadTotals = {
        "tokens": before["tokens"] + usage["total_tokens"],
        "model_calls": before["model_calls"] + _count_calls(calls),
        "seconds": before["seconds"] + sum(one["latency_seconds"] for one in calls),
        "cost_usd": add_costs(before["cost_usd"], usage["cost_usd"]),
    }
    return {**state, "candidates": [], "thread_totals": totals}


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
    made = _made(state)
    usage = total_usage([one["usage"] for one in made])
    return Spent(usage["total_tokens"], _count_calls(made), _seconds(state, made), usage["cost_usd"])


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
    return [one for one in _rounds(state) if one.get("error") != BudgetExhaustedError.code]


def _rounds(state: ReasoningState) -> list[Round]:
    return list(state["reasoning"]["rounds"]) if "reasoning" in state else []
