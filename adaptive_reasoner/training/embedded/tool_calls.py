"""Many calls of the embedded model's tool mode, each with the signal that the graph would see."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.problems.formula import value_of
from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.message import score_message

CALCULATOR: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Compute a formula.",
        "parameters": {
            "type": "object",
            "properties": {"expression": {"type": "string"}},
            "required": ["expression"],
        },
    },
}
_CHUNK = 64  # problems a task


@dataclass(frozen=True, slots=True)
class Call:
    """One call, or an answer in words where the model called nothing.

    Attributes:
        formula: what it asks the calculator; None: no call.
        is_right: the formula comes to the problem's answer.
        signal: of the call's arguments, its risk not set.
        tokens: generated, the thought included.
    """

    formula: str | None
    is_right: bool
    signal: Signal
    tokens: int


def ask_calls(
    problems: Sequence[Problem],
    thinking: Literal["off", "on"],
    *,
    processes: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> list[Call]:
    """Ask every problem with a calculator at hand, greedily, in order.

    Args:
        problems: n of them.
        thinking: whether a thought comes before the call.
        processes: of one thread each.
        on_progress: called with the number of calls so far.
    """
    tasks = [problems[start : start + _CHUNK] for start in range(0, len(problems), _CHUNK)]
    calls: list[Call] = []
    for found in _run(partial(_ask_chunk, thinking), tasks, processes):
        calls += found
        if on_progress is not None:
            on_progress(len(calls))
    return calls


def _run(
    work: Callable[[Sequence[Problem]], list[Call]], tasks: Sequence[Sequence[Problem]], processes: int
) -> Iterator[list[Call]]:
    if processes == 1:
        yield from map(work, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(work, tasks)


def _ask_chunk(thinking: Literal["off", "on"], problems: Sequence[Problem]) -> list[Call]:
    model = EmbeddedChatModel(thinking=thinking, logprobs=True, top_logprobs=20).bind_tools([CALCULATOR])
    return [_ask(model, problem) for problem in problems]


def _ask(model: Any, problem: Problem) -> Call:
    message = model.invoke(problem.question)
    formula = message.tool_calls[0]["args"]["expression"] if message.tool_calls else None
    is_right = formula is not None and value_of(formula) == problem.answer
    return Call(formula, is_right, score_message(message), message.usage_metadata["output_tokens"])
