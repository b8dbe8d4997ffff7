"""Real runs of `create_agent` with a calculator whose every execution is counted."""

import multiprocessing
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from adaptive_reasoner import AdaptiveReasoningMiddleware, EmbeddedChatModel, ReasonerConfig
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.problems.formula import value_of

Way = Literal["no gate", "gate", "gate and a person", "always asking"]
WAYS: tuple[Way, ...] = ("no gate", "gate", "gate and a person", "always asking")
_CHUNK = 16
_ANSWER = re.compile(r"Answer: (-?[\d.]+)")


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One question put to an agent.

    Attributes:
        executed: formulas that the calculator was run with, in order.
        wrong_executed: those that do not come to the problem's answer.
        twice: calls that were executed more than once.
        asked: times that a person was asked, and `asked_right` those about a call that was right.
        is_right: the last message gives the problem's answer.
        answers: the last message gives any answer.
        tokens: generated, in all calls of the model.
    """

    executed: int
    wrong_executed: int
    twice: int
    asked: int
    asked_right: int
    is_right: bool
    answers: bool
    tokens: int


def run_agents(problems: Sequence[Problem], way: Way, processes: int) -> list[AgentRun]:
    """Put every problem to an agent of its own thread, in order."""
    tasks = [problems[start : start + _CHUNK] for start in range(0, len(problems), _CHUNK)]
    if processes == 1:
        return [run for task in tasks for run in _run_chunk(way, task)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return [run for runs in pool.imap(partial(_run_chunk, way), tasks) for run in runs]


def _run_chunk(way: Way, problems: Sequence[Problem]) -> list[AgentRun]:
    return [_run(way, problem) for problem in problems]


def _run(way: Way, problem: Problem) -> AgentRun:
    from langchain_core.tools import InjectedToolCallId, tool
    from langgraph.types import Command

    executed: list[tuple[str, str]] = []

    @tool
    def calculator(expression: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Compute a formula."""
        executed.append((call, expression))
        value = value_of(expression)
        return "This is no formula." if value is None else f"{float(value):g}"

    agent = _agent(way, calculator)
    config: Any = {"configurable": {"thread_id": "1"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = agent.invoke({"messages": [("user", problem.question)]}, config, durability="sync")
        asked = right = 0
        while "__interrupt__" in state:
            formula = _asked_for(state["__interrupt__"][0].value)
            is_right = value_of(formula) == problem.answer
            asked, right = asked + 1, right + is_right
            state = agent.invoke(Command(resume=_reply(way, approves=is_right)), config, durability="sync")
    return _judged(state["messages"], problem, executed, (asked, right))


def _agent(way: Way, calculator: Any) -> Any:
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langgraph.checkpoint.memory import InMemorySaver

    config = ReasonerConfig(review="low_confidence") if way == "gate and a person" else ReasonerConfig()
    middleware: list[Any] = []
    if way in ("gate", "gate and a person"):
        middleware = [AdaptiveReasoningMiddleware(config=config)]
    elif way == "always asking":
        middleware = [HumanInTheLoopMiddleware(interrupt_on={"calculator": True})]
    return create_agent(
        EmbeddedChatModel(), [calculator], middleware=middleware, checkpointer=InMemorySaver()
    )


def _asked_for(question: Any) -> str:
    """The formula that a person is asked about, by our review or by LangChain's; "" where it is an answer."""
    calls = question.get("tool_calls") or question.get("action_requests") or []
    return str(calls[0]["args"].get("expression", "")) if calls else ""


def _reply(way: Way, *, approves: bool) -> Any:
    """A person who knows the right formula when seeing it, and writes none."""
    word = "approve" if approves else "reject"
    return {"decisions": [{"type": word}]} if way == "always asking" else {"action": word}


def _judged(
    messages: Sequence[Any], problem: Problem, executed: Sequence[tuple[str, str]], asked: tuple[int, int]
) -> AgentRun:
    found = _ANSWER.search(str(messages[-1].text))
    times = Counter(call for call, _ in executed)
    usages = [message.usage_metadata for message in messages if getattr(message, "usage_metadata", None)]
    return AgentRun(
        executed=len(executed),
        wrong_executed=sum(value_of(formula) != problem.answer for _, formula in executed),
        twice=sum(count > 1 for count in times.values()),
        asked=asked[0],
        asked_right=asked[1],
        is_right=found is not None and float(found[1].rstrip(".")) == problem.answer,
        answers=found is not None,
        tokens=sum(usage["output_tokens"] for usage in usages),
    )
