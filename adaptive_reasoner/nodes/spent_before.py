"""What a thread's messages say was spent on it before: each answer carries its report.

A graph without a checkpointer, and a chat model most of all, knows nothing else of the calls before its own: those for
the same question, between which the caller ran tools, and those of earlier turns. The reports may have travelled
through a client, so nothing in them is certain.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.errors import BudgetExhaustedError
from adaptive_reasoner.state import ThreadTotals

Json = dict[str, Any]


def spent_on(messages: Sequence[BaseMessage]) -> ThreadTotals | None:
    """The sum over all answers among `messages` that carry a report; None where none does."""
    reports = [report for message in messages if (report := report_on(message)) is not None]
    if not reports:
        return None
    costs = [_number(_part(report, "usage").get("cost_usd")) for report in reports]
    return {
        "tokens": int(sum(_number(_part(report, "usage").get("total_tokens")) or 0 for report in reports)),
        "model_calls": sum(1 + int(_number(one.get("signal_calls")) or 0) for one in _calls(reports)),
        "seconds": sum(_number(one.get("latency_seconds")) or 0.0 for one in _calls(reports)),
        "cost_usd": None if None in costs else float(sum(cost or 0.0 for cost in costs)),
    }


def report_on(message: BaseMessage) -> Json | None:
    """The report that an answer carries, None where it carries none."""
    report = message.response_metadata.get("adaptive_reasoning") if isinstance(message, AIMessage) else None
    return cast("Json", report) if isinstance(report, dict) else None


def _calls(reports: list[Json]) -> Iterator[Json]:
    """The rounds whose call was made, and what triage asked a model."""
    for report in reports:
        rounds = report.get("rounds")
        for one in cast("list[Any]", rounds) if isinstance(rounds, list) else []:
            if isinstance(one, dict) and cast("Json", one).get("error") != BudgetExhaustedError.code:
                yield cast("Json", one)
        triage = _part(report, "triage")
        if "usage" in triage:
            yield triage


def _part(report: Json, name: str) -> Json:
    part = report.get(name)
    return cast("Json", part) if isinstance(part, dict) else {}


def _number(value: Any) -> float | None:
    """A count or a price, never less than nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return max(0.0, float(value)) if is_number else None
