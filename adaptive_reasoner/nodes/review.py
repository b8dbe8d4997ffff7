"""review: a durable interrupt; a person approves, edits or rejects the best answer so far."""

from typing import Any, cast

from langchain_core.messages import AIMessage, ToolCall
from langgraph.types import interrupt

from adaptive_reasoner.nodes.hand_off import best_candidate
from adaptive_reasoner.nodes.step_marks import find_step_fault, mark_of, steps_of
from adaptive_reasoner.nodes.tool_claims import ToolClaims
from adaptive_reasoner.state import ReasoningState, StepMark
from adaptive_reasoner.uncertainty.shapes import as_mapping

Update = dict[str, Any]
ACTIONS = ("approve", "edit", "reject")
MARK = "mark_step"  # offered where a thought is to be seen
_THOUGHTS = ("thinking", "redacted_thinking", "reasoning")
_CALLS = ("tool_calls", "function_call")  # where OpenAI's integrations keep the calls as they came
_CALLS_WANTED = (
    '"tool_calls" goes with the action "edit" where a call of tools is reviewed: '
    '[{"name": "…", "args": {…}}], at least one.'
)


def make_review_node(tool_claims: ToolClaims | None) -> "_ReviewNode":
    """Build the node; without the graph's own tools, an approved call of tools is handed on to the caller."""
    return _ReviewNode(tool_claims)


class _ReviewNode:
    """Callable node; its result is the person's decision."""

    def __init__(self, tool_claims: ToolClaims | None) -> None:
        self._tool_claims = tool_claims

    def __call__(self, state: ReasoningState) -> Update:
        return review(state, self._tool_claims)


def review(state: ReasoningState, tool_claims: ToolClaims | None = None) -> Update:
    """Ask until the reply is one of the three actions; `edit` needs the new answer, or the new calls.

    The interrupt's value holds the answer and the report. Resume with `Command(resume={"action": "approve"})`,
    `{"action": "edit", "answer": "…"}` or `{"action": "reject"}`; the bare word does for the first and last.
    Where the best answer is a call of tools, they stand under "tool_calls", and approving runs them or, where they
    are the caller's, hands them on; `{"action": "edit", "tool_calls": […]}` puts others in their place.

    Where the best answer's thought is to be seen, its steps stand under "thought_steps", the uncertain ones marked, and
    `{"action": "mark_step", "step": n, "note": "…"}` says that one is wrong: the thought goes on from before it, and
    the new answer is judged as any other.
    """
    report, best = state["reasoning"], best_candidate(state)
    question: dict[str, Any] = {
        "kind": "review",
        "answer": str(best.text),
        "report": report,
        "actions": list(ACTIONS),
    }
    if steps := [] if best.tool_calls else steps_of(best):
        question |= {"thought_steps": steps, "actions": [*ACTIONS, MARK]}
    if best.tool_calls:
        question["tool_calls"] = [{"name": call["name"], "args": call["args"]} for call in best.tool_calls]
    decision, problem = _read(interrupt(question), best)
    while problem:
        decision, problem = _read(interrupt({**question, "problem": problem}), best)
    if decision["action"] == MARK:
        return _go_on(state, mark_of(best, decision, report["accepted_round"]))
    update: Update = {"reasoning": {**report, "review": decision}}
    settled = _edited(best, decision) if decision["action"] == "edit" else best
    if decision["action"] != "reject" and settled.tool_calls and tool_claims:
        claims = tool_claims.claim([settled])
        turn = {"next_node": "tools", "answers_from": len(report["rounds"]), "tool_claims": claims}
        update["messages"] = [settled]
        update["turn"] = {**state["turn"], **turn}
    elif settled is not best:
        update["candidates"] = [*state["candidates"], settled]
    return update


def _read(reply: Any, best: AIMessage) -> tuple[dict[str, Any], str | None]:
    decision = cast("dict[str, Any]", reply if isinstance(reply, dict) else {"action": reply})
    action = decision.get("action")
    if action == MARK:
        steps = [] if best.tool_calls else steps_of(best)
        kept = {key: decision[key] for key in ("action", "step", "note") if key in decision}
        return kept, find_step_fault(decision, steps)
    if action not in ACTIONS:
        return {}, f"action is {action!r}; use one of: {', '.join(ACTIONS)}."
    answer, calls = decision.get("answer"), decision.get("tool_calls")
    if calls is not None and not (action == "edit" and best.tool_calls and _are_calls(calls)):
        return {}, _CALLS_WANTED
    if action == "edit" and calls is None and not (isinstance(answer, str) and answer.strip()):
        return {}, 'the action "edit" needs the new text under "answer".'
    names = ("action", "answer", "tool_calls", "comment", "reviewer")
    return {key: decision[key] for key in names if key in decision}, None


def _go_on(state: ReasoningState, mark: StepMark) -> Update:
    """Back to thinking: what was answered so far is no candidate any more, and the mark stays in the report."""
    report = state["reasoning"]
    marks = [*report.get("step_marks", []), mark]
    turn = {"next_node": "deep_think", "answers_from": len(report["rounds"]), "step_mark": mark}
    return {"reasoning": {**report, "step_marks": marks}, "turn": {**state["turn"], **turn}}


def _are_calls(calls: Any) -> bool:
    """True for one or more of {"name": …, "args": {…}}."""
    if not isinstance(calls, list) or not calls:
        return False
    shapes = [
        cast("dict[str, Any]", one) if isinstance(one, dict) else {} for one in cast("list[Any]", calls)
    ]
    return all(isinstance(one.get("name"), str) and isinstance(one.get("args"), dict) for one in shapes)


def _edited(best: AIMessage, decision: dict[str, Any]) -> AIMessage:
    """The person's words, or calls; a call keeps the id of the one in whose place it stands."""
    calls = decision.get("tool_calls")
    if calls is None:
        return AIMessage(decision["answer"])
    ids = [call["id"] for call in best.tool_calls]
    return AIMessage(
        _thoughts_of(best),
        additional_kwargs={
            key: best.additional_kwargs[key] for key in best.additional_kwargs if key not in _CALLS
        },
        tool_calls=[
            ToolCall(
                name=call["name"],
                args=call["args"],
                id=(ids[place] if place < len(ids) else None) or f"edited_{place + 1}",
                type="tool_call",
            )
            for place, call in enumerate(calls)
        ],
    )


def _thoughts_of(message: AIMessage) -> list[str | dict[Any, Any]]:
    """Its signed thoughts, which some providers want to see before the calls that came of them."""
    blocks: list[Any] = message.content if isinstance(message.content, list) else []
    return [block for block in blocks if as_mapping(block).get("type") in _THOUGHTS]
