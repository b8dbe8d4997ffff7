"""What an allocation is told of a finished query."""

from adaptive_reasoner.config import Spending
from adaptive_reasoner.state import ReasoningReport


def spending_of(report: ReasoningReport) -> Spending:
    """Calls of the deep model with their tokens, and the tokens of all calls of the turn."""
    thinking = [one["usage"]["total_tokens"] for one in report["rounds"] if one["node"] == "deep_think"]
    return Spending(
        thinking_calls=len(thinking),
        thinking_tokens=sum(thinking),
        tokens=sum(one["usage"]["total_tokens"] for one in report["rounds"]),
    )
