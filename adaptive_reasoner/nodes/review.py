"""review: a durable interrupt; a person approves, edits or rejects the best answer so far."""

from typing import Any, cast

from langchain_core.messages import AIMessage
from langgraph.types import interrupt

from adaptive_reasoner.nodes.hand_off import best_candidate
from adaptive_reasoner.state import ReasoningState

Update = dict[str, Any]
ACTIONS = ("approve", "edit", "reject")


def make_review_node(*, runs_tools: bool) -> "_ReviewNode":
    """Build the node; without `runs_tools`, an approved call of tools is handed on to the caller."""
    return _ReviewNode(runs_tools=runs_tools)


class _ReviewNode:
    """Callable node; its result is the person's decision."""

    def __init__(self, *, runs_tools: bool) -> None:
        self._runs_tools = runs_tools

    def __call__(self, state: ReasoningState) -> Update:
        return review(state, runs_tools=self._runs_tools)


def review(state: ReasoningState, *, runs_tools: bool = True) -> Update:
    """Ask until the reply is one of the three actions; `edit` needs the new answer.

    The interrupt's value holds the answer and the report. Resume with `Command(resume={"action": "approve"})`,
    `{"action": "edit", "answer": "…"}` or `{"action": "reject"}`; the bare word does for the first and last.
    Where the best answer is a call of tools, they stand under "tool_calls", and approving runs them or, where they
    are the caller's, hands them on.
    """
    report, best = state["reasoning"], best_candidate(state)
    question: dict[str, Any] = {
        "kind": "review",
        "answer": str(best.text),
        "report": report,
        "actions": list(ACTIONS),
    }
    if best.tool_calls:
        question["tool_calls"] = [{"name": call["name"], "args": call["args"]} for call in best.tool_calls]
    decision, problem = _read(interrupt(question))
    while problem:
        decision, problem = _read(interrupt({**question, "problem": problem}))
    update: Update = {"reasoning": {**report, "review": decision}}
    if decision["action"] == "edit":
        update["candidates"] = [*state["candidates"], AIMessage(decision["answer"])]
    if decision["action"] == "approve" and best.tool_calls and runs_tools:
        update["messages"] = [best]
        update["turn"] = {**state["turn"], "next_node": "tools", "answers_from": len(report["rounds"])}
    return update


def _read(reply: Any) -> tuple[dict[str, Any], str | None]:
    decision = cast("dict[str, Any]", reply if isinstance(reply, dict) else {"action": reply})
    action = decision.get("action")
    if action not in ACTIONS:
        return {}, f"action is {action!r}; use one of: {', '.join(ACTIONS)}."
    answer = decision.get("answer")
    if action == "edit" and not (isinstance(answer, str) and answer.strip()):
        return {}, 'the action "edit" needs the new text under "answer".'
    kept = {key: decision[key] for key in ("action", "answer", "comment", "reviewer") if key in decision}
    return kept, None
