"""Many answers of the embedded model, each with the signal that the graph would see.

Everything goes through the graph's own code: prompts from `conversation.read_prompt` and
`prompts.refine_prompt`, messages in OpenAI's shape, signals from `score_message`.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from numpy.typing import NDArray

from adaptive_reasoner.embedded.answer_text import VisibleToken, visible_bytes
from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.completion import LOGPROBS_KEY
from adaptive_reasoner.embedded.conversation import read_prompt
from adaptive_reasoner.embedded.dialogue import Mode, answer_text
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.openai_logprobs import choice_logprobs
from adaptive_reasoner.embedded.phases import ThoughtLimits
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.prompts import refine_prompt
from adaptive_reasoner.state import Signal
from adaptive_reasoner.uncertainty.message import score_message

_CHUNK = 512  # problems a task; fixed, so that sampled answers do not depend on the number of processes
_TOP_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as the gate gets it.

    Attributes:
        text: visible text.
        is_right: it is the problem's answer.
        tokens: generated, thought and `<eos>` included: what usage counts as output.
        thought_tokens: those of the thought, `</think>` included.
        signal: of the answer span, its risk not set.
        logprobs: (visible tokens, 1 + 20) natural logarithms: the chosen token's, then the list's.
    """

    text: str
    is_right: bool
    tokens: int
    thought_tokens: int
    signal: Signal
    logprobs: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How all problems are asked.

    Attributes:
        mode: fast, deep or refine.
        temperature, seed: of sampling; 0 is greedy.
        thinking_budget: thought tokens after which the thought is closed; None: no limit.
        with_spans: whether a request to refine names the uncertain spans.
    """

    mode: Mode
    temperature: float = 0.0
    seed: int = 0
    thinking_budget: int | None = None
    with_spans: bool = True


FAST = Ask(mode="fast")
DEEP = Ask(mode="deep")
REFINE = Ask(mode="refine")
PLAIN_REFINE = Ask(mode="refine", with_spans=False)

_Task = tuple[int, Sequence[Problem], Sequence[Answer]]


def ask_all(
    problems: Sequence[Problem],
    ask: Ask,
    firsts: Sequence[Answer] = (),
    *,
    processes: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> list[Answer]:
    """Answer every problem, in order.

    Args:
        problems: n of them.
        ask: how.
        firsts: the n answers under doubt, for mode "refine" only.
        processes: of one thread each.
        on_progress: called with the number of answers so far.
    """
    tasks = [
        (start // _CHUNK, problems[start : start + _CHUNK], firsts[start : start + _CHUNK])
        for start in range(0, len(problems), _CHUNK)
    ]
    answers: list[Answer] = []
    for found in _run(partial(_answer_chunk, ask), tasks, processes):
        answers += found
        if on_progress is not None:
            on_progress(len(answers))
    return answers


def _run(
    work: Callable[[_Task], list[Answer]], tasks: Sequence[_Task], processes: int
) -> Iterator[list[Answer]]:
    if processes == 1 or len(tasks) == 1:
        yield from map(work, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(work, tasks)


def _answer_chunk(ask: Ask, task: _Task) -> list[Answer]:
    index, problems, firsts = task
    runtime = shipped_runtime()
    threads = [_thread(problem, firsts[row] if firsts else None, ask) for row, problem in enumerate(problems)]
    config = GenerationConfig(
        temperature=ask.temperature,
        seed=ask.seed * 1_000_003 + index,
        top_logprobs=_TOP_LOGPROBS,
        thought=ThoughtLimits(budget_tokens=ask.thinking_budget),
    )
    prompts = [read_prompt(thread, runtime.shape.context)[0] for thread in threads]
    generations = generate_batch(runtime, prompts, ask.mode, config)
    return [_read(generation, problem) for generation, problem in zip(generations, problems, strict=True)]


def _thread(problem: Problem, first: Answer | None, ask: Ask) -> list[BaseMessage]:
    question = HumanMessage(problem.question)
    if first is None:
        return [question]
    request = refine_prompt(first.signal["spans"] if ask.with_spans else ())
    return [question, AIMessage(first.text), HumanMessage(request)]


def _read(generation: Generation, problem: Problem) -> Answer:
    message = _as_message(generation)
    text = str(message.text)
    scores = [token.scores for token in generation.answer if token.scores is not None]
    return Answer(
        text=text,
        is_right=text.strip() == answer_text(problem.answer),
        tokens=len(generation.tokens),
        thought_tokens=sum(token.in_thought for token in generation.tokens),
        signal=score_message(message),
        logprobs=np.array([[s.logprob, *s.top_logprobs] for s in scores], dtype=np.float32),
    )


def _as_message(generation: Generation) -> AIMessage:
    """The message that `EmbeddedChatModel` gives for this generation, but for the thought's text and alternatives."""
    visible = [VisibleToken(token.id, visible_bytes(token.id), token.scores) for token in generation.answer]
    text = b"".join(token.raw for token in visible).decode("utf-8", "replace")
    count = len(generation.tokens)
    thought = sum(token.in_thought for token in generation.tokens)
    metadata: dict[str, Any] = {LOGPROBS_KEY["text"]: choice_logprobs(visible)}
    if thought:
        metadata[LOGPROBS_KEY["reasoning"]] = {"content": _thought_entries(generation)}
    usage = UsageMetadata(
        input_tokens=0,
        output_tokens=count,
        total_tokens=count,
        output_token_details={"reasoning": thought},
    )
    return AIMessage(text, response_metadata=metadata, usage_metadata=usage)


def _thought_entries(generation: Generation) -> list[dict[str, Any]]:
    """What is reported of the thought, `</think>` left out; alternatives are not read there."""
    inside = [token for token in generation.tokens if token.in_thought and token.id != special("</think>")]
    return [{"token": "", "logprob": token.scores.logprob} for token in inside if token.scores is not None]
