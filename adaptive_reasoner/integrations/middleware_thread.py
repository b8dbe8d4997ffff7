"""A thread stays on its model, because the other one must read it anew; and what it cost where it did not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.state import DifficultyEstimator, ModelSwitch, ReasoningReport, Triage

_DEEP_NODE = "deep_think"


@dataclass(frozen=True, slots=True)
class StaysOnModel:
    """Starts a question where its thread is, and the first one of a thread where `first` says.

    Only the gate takes a thread to the deep model then: an answer that it escalates.

    Attributes:
        first: estimates for a thread's first question; None starts it fast.
        first_bound: the gain from which `first` sends it to the deep model; None: it informs only.
    """

    first: DifficultyEstimator | None
    first_bound: float | None
    think_at_gain: float = 1.0

    def estimate(self, messages: Sequence[BaseMessage]) -> Triage:
        """Gain 1 where the thread is on the deep model, less where it is not."""
        if report := newest_report(messages):
            is_deep = is_on_deep(report)
            where = "deep" if is_deep else "fast"
            return _triage(1.0 if is_deep else 0.0, "thread", f"the thread stays on the {where} model")
        if self.first is None:
            return _triage(0.0, "none", "a thread starts fast, and the gate decides")
        triage = self.first.estimate(messages)
        if self.first_bound is None:
            reason = f"{triage['reason']}, for other models than these: it informs, and the gate decides"
            return {**triage, "gain": min(triage["gain"], 0.999), "reason": reason}
        starts_deep = triage["gain"] >= self.first_bound
        return {**triage, "gain": 1.0 if starts_deep else min(triage["gain"], 0.999)}


def newest_report(messages: Sequence[BaseMessage]) -> ReasoningReport | None:
    """The report of the thread's newest answer; it may have travelled through a client, so its shape is checked."""
    for message in reversed(messages):
        found: Any = (
            message.response_metadata.get("adaptive_reasoning") if isinstance(message, AIMessage) else None
        )
        if isinstance(found, Mapping) and _is_whole(cast("Mapping[str, Any]", found)):
            return cast("ReasoningReport", found)
    return None


def is_on_deep(report: ReasoningReport) -> bool:
    """True if the answer came from the deep model, at once or after an escalation."""
    return any(one["node"] == _DEEP_NODE for one in report["rounds"])


def switches_of(
    report: ReasoningReport, before: ReasoningReport | None, names: tuple[str, str]
) -> list[ModelSwitch]:
    """Where the model changed, and how much of the prompt the new one read that the other's cache may have held.

    Args:
        report: of the answer just given.
        before: of the answer before it in the thread.
        names: of the fast and the deep model.
    """
    found: list[ModelSwitch] = []
    calls = [*(_calls(before) if before else ())][-1:]
    for place, (is_deep, read) in enumerate(_calls(report)):
        if calls and calls[-1][0] != is_deep:
            source, target = names if is_deep else names[::-1]
            found.append(
                {
                    "round": place,
                    "from_model": source,
                    "to_model": target,
                    "tokens_read_anew": min(read, calls[-1][1]),
                }
            )
        calls.append((is_deep, read))
    return found


def _calls(report: ReasoningReport) -> Iterator[tuple[bool, int]]:
    """Of each call: whether the deep model answered, and its input tokens; a refusal of the budget read none."""
    is_deep = False
    for one in report["rounds"]:
        is_deep = one["node"] == _DEEP_NODE or (is_deep and one["node"] == "refine")
        if one["usage"]["input_tokens"]:
            yield is_deep, one["usage"]["input_tokens"]


def _is_whole(report: Mapping[str, Any]) -> bool:
    rounds: Any = report.get("rounds")
    return isinstance(rounds, list) and all(map(_is_round, cast("list[Any]", rounds)))


def _is_round(one: Any) -> bool:
    usage: Any = cast("dict[str, Any]", one).get("usage") if isinstance(one, dict) else None
    return isinstance(usage, dict) and "input_tokens" in usage and "node" in one


def _triage(gain: float, source: str, reason: str) -> Triage:
    return {"gain": gain, "difficulty": 0.5, "source": source, "reason": reason}
