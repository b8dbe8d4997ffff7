"""The embedded model's worked answers, as messages whose log probabilities show every token of the working."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from adaptive_reasoner.embedded.answer_text import VisibleToken, visible_bytes
from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.conversation import read_prompt
from adaptive_reasoner.embedded.dialogue import Mode, answer_text
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.openai_logprobs import token_entry
from adaptive_reasoner.embedded.phases import ThoughtLimits
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.gate.calibration import CalibrationExample

_SHARD = 256
_TOP_LOGPROBS = 20
# How the end of a thought looks where the working is part of the answer.
_NEW_LINE = b"\n"


@dataclass(frozen=True, slots=True)
class Working:
    """A way to work an answer out.

    Attributes:
        mode: of the embedded model.
        limits: how its thought is steered.
        is_shown: the thought is written into the answer, as by a model that has no thinking mode.
    """

    mode: Mode
    limits: ThoughtLimits = field(default_factory=ThoughtLimits)
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class Worked:
    """One answer: its message, and whether it is right."""

    message: AIMessage
    is_right: bool


def workings() -> dict[str, Working]:
    """The fast, worked answers that are measured, and "deep", which they escalate to."""
    (check, *_) = encoding().encode_ordinary(" check")
    budgets = {
        f"working first, {n} tokens": Working("deep", ThoughtLimits(budget_tokens=n), is_shown=True)
        for n in (32,)
    }
    unchecked = Working("deep", ThoughtLimits(close_before=check), is_shown=True)
    return {
        "answer first": Working("answer_first"),
        **budgets,
        "working first, unchecked": unchecked,
        "deep": Working("deep"),
    }


def answer_all(name: str, problems: Sequence[Problem], processes: int) -> list[Worked]:
    """Every problem worked in the way `name`, in order."""
    shards = [problems[start : start + _SHARD] for start in range(0, len(problems), _SHARD)]
    work = partial(_answer_shard, name)
    if processes == 1:
        return [one for shard in map(work, shards) for one in shard]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [one for shard in pool.map(work, shards) for one in shard]


def examples_of(
    problems: Sequence[Problem], fast: Sequence[Worked], deep: Sequence[Worked] = ()
) -> list[CalibrationExample]:
    """What `calibrate` takes."""
    thought = [(one.message, one.is_right) for one in deep] or [(None, None)] * len(problems)
    return [
        CalibrationExample(problem.question, one.message, one.is_right, *other)
        for problem, one, other in zip(problems, fast, thought, strict=True)
    ]


def is_right(text: str, problem: Problem) -> bool:
    """True if the answer in `text` is the problem's; a working may stand before it, a rationale after it."""
    wanted = answer_text(problem.answer).strip()
    return any(line.strip() == wanted for line in text.split("\n"))


def _answer_shard(name: str, problems: Sequence[Problem]) -> list[Worked]:
    working, runtime = workings()[name], shipped_runtime()
    prompts = [read_prompt([HumanMessage(one.question)], runtime.shape.context)[0] for one in problems]
    config = GenerationConfig(top_logprobs=_TOP_LOGPROBS, thought=working.limits)
    found = generate_batch(runtime, prompts, working.mode, config)
    messages = [_message(generation, working) for generation in found]
    return [
        Worked(message, is_right(str(message.text), problem))
        for message, problem in zip(messages, problems, strict=True)
    ]


def _message(generation: Generation, working: Working) -> AIMessage:
    entries = list(_entries(generation, working))
    text = b"".join(bytes(entry["bytes"]) for entry in entries).decode("utf-8", "replace")
    count = len(generation.tokens)
    return AIMessage(
        text,
        response_metadata={"model_name": "embedded, worked", "logprobs": {"content": entries}},
        usage_metadata={"input_tokens": 0, "output_tokens": count, "total_tokens": count},
    )


def _entries(generation: Generation, working: Working) -> Iterator[dict[str, Any]]:
    end = special("</think>")
    for token in generation.tokens if working.is_shown else generation.answer:
        if token.scores is None or token.id == special("<eos>"):
            continue
        raw = _NEW_LINE if token.id == end else visible_bytes(token.id)
        entry = token_entry(VisibleToken(token.id, raw, token.scores))
        if token.id == end:  # the list has it under its own name
            for listed in entry["top_logprobs"]:
                if listed["logprob"] == entry["logprob"]:
                    listed |= {"token": entry["token"], "bytes": entry["bytes"]}
        yield entry
