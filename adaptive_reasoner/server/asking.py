"""From a checked request to a question, and from a question to its answers."""

import asyncio
import dataclasses
import re
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from starlette.requests import Request

from adaptive_reasoner.embedded.call_options import parse_effort
from adaptive_reasoner.server.caller import caller_of
from adaptive_reasoner.server.errors import InvalidRequestError, UnknownModelError
from adaptive_reasoner.server.limits.settings import LimitsSection
from adaptive_reasoner.server.parts import AppParts
from adaptive_reasoner.server.questions import DEEP, FAST, Answer, OnEvent, Question
from adaptive_reasoner.server.settings import AnswersSection, ModelsSection, PolicySection
from adaptive_reasoner.server.threads import Turn, answered_before, new_messages
from adaptive_reasoner.server.wire.answers import Look
from adaptive_reasoner.server.wire.call_options import CallOptions, read_options
from adaptive_reasoner.server.wire.messages import read_messages
from adaptive_reasoner.server.wire.requests import ChatCompletionRequest, ThoughtTokens
from adaptive_reasoner.state import ReasoningContext
from adaptive_reasoner.thinking import is_embedded
from adaptive_reasoner.thinking.ways import BUDGET_OF_LEVEL

Result = TypeVar("Result")

THREAD_HEADER = "x-thread-id"
_THREAD_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, ready to be answered.

    Attributes:
        question: without the messages that its thread holds.
        choices: how many answers are wanted.
        look: what the client wants to see.
        ignored: fields that came and are not used.
    """

    question: Question
    choices: int
    look: Look
    ignored: tuple[str, ...]

    def under(self, turn_key: str | None) -> "Asked":
        """The same, known to its thread by this key."""
        return dataclasses.replace(self, question=dataclasses.replace(self.question, turn_key=turn_key))


def read_asked(body: ChatCompletionRequest, request: Request, parts: AppParts) -> Asked:
    """What `body` asks for.

    Raises:
        UnknownModelError: the model is not served.
        InvalidRequestError: something is asked for that cannot be done.
    """
    name = parts.settings.section(ModelsSection).aliases.get(body.model, body.model)
    if name not in parts.runner.graphs:
        raise UnknownModelError(
            f"The model {body.model!r} does not exist here; use one of: {', '.join(parts.runner.graphs)}.",
            param="model",
        )
    options = read_options(body, parts.runner.models.behind(name))
    thread_id, choices = _thread_id(body, request), body.n or 1
    if choices > (most := parts.settings.section(LimitsSection).max_choices):
        raise InvalidRequestError(f"'n' must be at most {most} here.", param="n")
    if thread_id is not None and choices > 1:
        raise InvalidRequestError("'n' must be 1 in a thread, which keeps one answer a turn.", param="n")
    caller = caller_of(request)
    messages = read_messages(body.messages)
    question = Question(
        model=name,
        messages=messages,
        new_messages=messages,
        context=_context(body, name, options, parts),
        thread_id=None if thread_id is None else caller.owns(thread_id),
        caller=caller,
        keeps_logprobs=bool(body.logprobs),
        request_id=getattr(request.state, "request_id", ""),
    )
    return Asked(question, choices, _look(body, parts), options.ignored)


async def answer(parts: AppParts, asked: Asked, on_event: OnEvent | None = None) -> list[Answer]:
    """Answer, once for each choice; a thread keeps the turn."""
    question = dataclasses.replace(asked.question, on_event=on_event, tells_drafts=asked.look.drafts)
    if question.thread_id is None:
        return await together([parts.runner.run(one) for one in _choices(question, asked.choices)])
    async with parts.threads.locks.hold(question.thread_id):
        kept = await parts.threads.read(question.thread_id)
        if before := answered_before(kept.messages, question.turn_key):
            return [before]
        new = new_messages(kept.messages, question.messages)
        if not new:
            raise InvalidRequestError(
                "The thread holds these messages already; send what comes next.", param="messages"
            )
        whole = dataclasses.replace(question, messages=[*kept.messages, *new], new_messages=new)
        one = await parts.runner.run(whole)
        if one.is_settled:
            await to_its_end(
                parts.threads.add(question.thread_id, Turn(new, one, question.turn_key), kept.version)
            )
        return [one]


async def together(runs: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of all; where one fails, the others are cancelled."""
    if len(runs) == 1:
        return [await runs[0]]
    tasks = [asyncio.ensure_future(run) for run in runs]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


async def to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is done to its end even if the client leaves meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _choices(question: Question, count: int) -> list[Question]:
    """One question a choice, each with a seed of its own where one is given."""
    kwargs = question.context.get("model_kwargs", {})
    if count == 1 or "seed" not in kwargs:
        return [question] * count
    contexts = [
        {**question.context, "model_kwargs": {**kwargs, "seed": kwargs["seed"] + place}}
        for place in range(count)
    ]
    return [dataclasses.replace(question, context=cast("ReasoningContext", context)) for context in contexts]


def _context(
    body: ChatCompletionRequest, name: str, options: CallOptions, parts: AppParts
) -> ReasoningContext:
    wishes, policy = body.wishes, parts.settings.section(PolicySection)
    context: ReasoningContext = {
        "thinking": _thinking(body, name, parts),
        "importance": wishes.importance if name != FAST else "normal",
        "model_kwargs": options.model_kwargs,
    }
    if wishes.budget is not None:
        context["budget"] = wishes.budget.model_dump(exclude_none=True)
    if options.must_call or name in (FAST, DEEP) or policy.doubtful_tool_calls == "hand_on":
        context["answer_tools"] = options.tool_names
    return context


def _thinking(body: ChatCompletionRequest, name: str, parts: AppParts) -> Any:
    wish, effort = body.wishes.thinking, body.reasoning_effort
    if name == FAST:
        return "off"
    if isinstance(wish, ThoughtTokens):
        return wish.model_dump()
    thinking = wish if wish is not None else _of_effort(effort, parts) if effort else "auto"
    if name == DEEP and thinking == "off":
        field = "adaptive_reasoning.thinking" if wish else "reasoning_effort"
        raise InvalidRequestError('The model "deep" always thinks; use "fast".', param=field)
    return "on" if name == DEEP and thinking == "auto" else thinking


def _of_effort(effort: str, parts: AppParts) -> Any:
    """OpenAI's levels as the loop's setting."""
    if effort in ("none", "minimal"):
        return "off"
    if effort not in ("low", "medium"):
        return "on"
    policy = parts.settings.section(PolicySection)
    chosen = policy.low_tokens if effort == "low" else policy.medium_tokens
    if chosen is None:
        small = is_embedded(parts.runner.models.behind(DEEP)[0])
        chosen = parse_effort(effort)[1] if small else BUDGET_OF_LEVEL[effort]
    return {"budget_tokens": chosen}


def _thread_id(body: ChatCompletionRequest, request: Request) -> str | None:
    """The thread that the client names: in `adaptive_reasoning`, in a header, or in OpenAI's `metadata`."""
    if body.wishes.thread_id is not None:
        return body.wishes.thread_id
    named = request.headers.get(THREAD_HEADER)
    param = THREAD_HEADER
    if named is None:
        named, param = (body.metadata or {}).get("thread_id"), "metadata.thread_id"
    if named is not None and not _THREAD_ID.match(named):
        raise InvalidRequestError(
            "A thread id has 1 to 128 letters, digits, dots, dashes, underscores or colons.", param=param
        )
    return named


def _look(body: ChatCompletionRequest, parts: AppParts) -> Look:
    policy = parts.settings.section(AnswersSection).thoughts
    return Look(
        logprobs=bool(body.logprobs),
        top_logprobs=body.top_logprobs or 0,
        thoughts=policy == "always" or (policy == "on_request" and bool(body.wishes.include_thoughts)),
        usage=body.wants_usage,
        events=bool(body.stream and body.wishes.events),
        drafts=bool(body.stream and body.wishes.drafts and body.n in (None, 1) and policy != "never"),
    )
