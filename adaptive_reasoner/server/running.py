"""Questions in, answers out: a graph for each name that is served.

A turn of a thread is kept whole or not at all: the graph runs on the thread's messages, and what was asked and
answered is written in one step once there is an answer. A run that fails, or whose client leaves, leaves no trace.
"""

import dataclasses
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import InvalidInputError, RefusalError
from adaptive_reasoner.graph import ReasoningGraph, build_reasoning_graph
from adaptive_reasoner.integrations.chat_model_answer import answer_of
from adaptive_reasoner.integrations.chat_model_call import as_input, run_config_of
from adaptive_reasoner.models import resolve_model
from adaptive_reasoner.server.caller import ANYBODY, Caller
from adaptive_reasoner.server.errors import (
    InvalidRequestError,
    ReviewRunError,
    ServerError,
    UnknownModelError,
)
from adaptive_reasoner.server.walking import Walk, can_walk
from adaptive_reasoner.state import MODE_OF_NODE, ReasoningContext, ReasoningReport, Recorder
from adaptive_reasoner.thinking import sent_thoughts

Json = dict[str, Any]
OnEvent = Callable[[Json], None]

ADAPTIVE, FAST, DEEP = "adaptive", "fast", "deep"
# What the loop says before a model's own words.
_DECLINED = "The model declined to answer: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, ready for the graph.

    Attributes:
        model: the name that is served.
        messages: the conversation, the thread's earlier messages included.
        new_messages: what a kept thread did not hold before.
        context: settings of the run, see `ReasoningContext`.
        thread_id: names the thread for budgets and records, None without one.
        caller: who asks.
        keeps_logprobs: leave the log probabilities on the answer.
        request_id: for logs and traces.
        turn_key: what its thread knows the turn by, from the idempotency key and the body; None without a key.
        on_event: is told what happens: route, calls, rounds. None: nobody watches.
        tells_drafts: thoughts and drafts are told, too, piece by piece: {"event": "draft", "thought": …, "text": …}.
    """

    model: str
    messages: Sequence[BaseMessage]
    new_messages: Sequence[BaseMessage] = ()
    context: ReasoningContext = field(default_factory=ReasoningContext)
    thread_id: str | None = None
    caller: Caller = ANYBODY
    keeps_logprobs: bool = False
    request_id: str = ""
    turn_key: str | None = None
    on_event: OnEvent | None = None
    tells_drafts: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

    Attributes:
        message: the answer, with the usage of all calls.
        report: why it is this one.
        is_settled: False: a person has still to decide, and the message says so; threads do not keep it.
    """

    message: AIMessage
    report: ReasoningReport
    is_settled: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for a person; the graph's checkpointer keeps it under `run_id`.

    Attributes:
        run_id: the thread id of the interrupted run.
        asks: what the review node asks: answer, report, actions.
    """

    run_id: str
    asks: Json


Next = Callable[[Question], Awaitable[Answer]]
Around = Callable[[Question, Next], Awaitable[Answer]]
OnWaiting = Callable[[Question, Waiting], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class ServedModels:
    """The models behind the names; `deep` None is the fast model with thinking switched on."""

    fast: BaseChatModel | str
    deep: BaseChatModel | str | None = None

    def resolved(self) -> "ServedModels":
        """The same as chat models."""
        deep = None if self.deep is None else resolve_model(self.deep)
        return ServedModels(resolve_model(self.fast), deep)

    def behind(self, name: str) -> list[BaseChatModel]:
        """Which chat models a run under this name may call."""
        fast, deep = resolve_model(self.fast), resolve_model(self.deep or self.fast)
        if name == FAST:
            return [fast]
        return [deep] if name == DEEP or deep is fast else [fast, deep]


class Runner:
    """Runs questions.

    Attributes:
        models: what is served.
        around: what each run passes, the outermost first: limits, fallbacks, counting.
        on_waiting: turns a run that waits for a person into an answer for the client.
        checkpointer: keeps the runs that may have to wait for a person.
    """

    def __init__(
        self,
        models: ServedModels,
        config: ReasonerConfig,
        recorder: Recorder | None = None,
        checkpointer: Any = None,
    ) -> None:
        self.models = models.resolved()
        self.config = config
        self.around: list[Around] = []
        self.on_waiting: OnWaiting | None = None
        self.checkpointer = checkpointer
        keeps = checkpointer if config.review == "low_confidence" else None
        single = dataclasses.replace(
            config,
            triage="off",
            max_refinements=0,
            review="never",
            fallback_signals=(),
            agreement_share=0.0,
        )
        self.configs = {ADAPTIVE: config, FAST: single, DEEP: single}
        self.graphs: dict[str, ReasoningGraph] = {
            name: build_reasoning_graph(
                self.models.fast,
                self.models.deep,
                config=its_config,
                recorder=recorder,
                checkpointer=keeps if name == ADAPTIVE else None,
            )
            for name, its_config in self.configs.items()
        }
        self._walks = {name: Walk(graph) for name, graph in self.graphs.items()}

    async def run(self, question: Question) -> Answer:
        """Answer one question.

        Raises:
            UnknownModelError: the name is not served.
            AdaptiveReasonerError: there is no answer; which one, and what to do, the error says.
        """
        if question.model not in self.graphs:
            raise UnknownModelError(
                f"The model {question.model!r} does not exist here; use one of: {', '.join(self.graphs)}.",
                param="model",
            )
        step: Next = self._run
        for around in reversed(self.around):
            step = _within(around, step)
        return await step(question)

    async def _run(self, question: Question) -> Answer:
        given = as_input(question.messages)
        config = self._run_config(question)
        output = await self._output(question, given, config)
        if waiting := await self._waiting(question, output, config):
            if self.on_waiting is None:
                raise ServerError("The answer waits for a person, and no reviews are set up here.")
            return await self.on_waiting(question, waiting)
        return settled(output, given, keeps_logprobs=question.keeps_logprobs)

    async def resume(self, waiting: Waiting, model: str, reply: Json, context: ReasoningContext) -> Answer:
        """Go on with a run that waited to its end; where that was done before, what came of it then.

        Args and Raises: see `go_on`.
        """
        came_to = await self.go_on(waiting, model, reply, context)
        if isinstance(came_to, Waiting):
            raise ServerError("The decision was not one that the run could end with.")
        return came_to

    async def go_on(
        self, waiting: Waiting, model: str, reply: Json, context: ReasoningContext
    ) -> Answer | Waiting:
        """Go on with a run that waited; it may wait for a person again, where a step of its thought was marked.

        Args:
            waiting: the run.
            model: the served name under which it ran.
            reply: what the person said, as the review node reads it.
            context: settings of the run.

        Raises:
            ReviewRunError: the checkpointer does not know the run.
        """
        graph: Any = self.graphs[model]
        config = run_config_of(self.configs[model])
        config["configurable"] = {**(config.get("configurable") or {}), "thread_id": waiting.run_id}
        state = await graph.aget_state(config)
        if not (messages := state.values.get("messages")):
            raise ReviewRunError(
                f"The run {waiting.run_id} that waited is not in the store of threads any more."
            )
        if not state.tasks:
            return settled(state.values, messages[:-1], keeps_logprobs=False)
        for again in (one.value for task in state.tasks for one in task.interrupts):
            if _marks_of(again) > _marks_of(waiting.asks):  # by a server that died after it
                return Waiting(waiting.run_id, again)
        # Tasks and nothing next: the step is done and not yet kept, by a server that died there or is still at it.
        go_on = Command(resume=reply) if state.next else None
        output = await graph.ainvoke(go_on, config, context=context)
        if interrupts := output.get("__interrupt__"):
            return Waiting(waiting.run_id, interrupts[0].value)
        return settled(output, messages, keeps_logprobs=False)

    def _run_config(self, question: Question) -> RunnableConfig:
        config = run_config_of(self.configs[question.model])
        configurable = dict(config.get("configurable") or {})
        if self._keeps_runs(question):
            configurable["thread_id"] = f"run//{uuid.uuid4().hex}"
        elif question.thread_id is not None:
            configurable["thread_id"] = question.thread_id
        metadata = {"request_id": question.request_id} if question.request_id else {}
        return {**config, "configurable": configurable, "metadata": metadata}

    def _keeps_runs(self, question: Question) -> bool:
        """True if the run may have to wait for a person, and so must outlive this process."""
        return self.checkpointer is not None and self.configs[question.model].review == "low_confidence"

    async def _waiting(self, question: Question, output: Json, config: RunnableConfig) -> Waiting | None:
        if not self._keeps_runs(question):
            return None
        run_id = str((config.get("configurable") or {}).get("thread_id"))
        if interrupts := output.get("__interrupt__"):
            return Waiting(run_id, interrupts[0].value)
        await self.checkpointer.adelete_thread(run_id)
        return None

    async def _output(self, question: Question, given: list[BaseMessage], config: RunnableConfig) -> Json:
        if question.on_event is None and can_walk(self.configs[question.model]):
            return await self._walks[question.model].run(given, config, question.context)
        graph: Any = self.graphs[question.model]  # LangGraph's types are too wide for pyright to see through
        state = {"messages": given}
        if question.on_event is None:
            return await graph.ainvoke(state, config, context=question.context)
        output: Json = {}
        modes = ["custom", "values", "messages"] if question.tells_drafts else ["custom", "values"]
        parts = graph.astream(state, config, context=question.context, stream_mode=modes)
        async for kind, data in parts:
            if kind == "custom":
                question.on_event(data)
            elif kind == "values":
                output = data
            elif draft := draft_of(*data):
                question.on_event({"event": "draft", **draft})
        return output


def _marks_of(asks: Json) -> int:
    return len(asks["report"].get("step_marks", ()))


def settled(output: Json, given: Sequence[BaseMessage], *, keeps_logprobs: bool) -> Answer:
    """The answer in what a finished run gave.

    Raises:
        AdaptiveReasonerError: no call gave one.
    """
    report = cast("ReasoningReport", output["reasoning"])
    last = report["rounds"][-1]
    if report["accepted_round"] < 0 and last.get("error") == InvalidInputError.code:
        raise InvalidRequestError(last["signal"]["reason"] or "The model cannot read this.", param="messages")
    message = answer_of(output, given, keeps_logprobs=keeps_logprobs)
    if report["accepted_round"] < 0 and last.get("error") == RefusalError.code:
        said = (last["signal"]["reason"] or "").removeprefix(_DECLINED).removesuffix(".")
        kept = {**message.additional_kwargs, "refusal": said}
        message = message.model_copy(update={"content": "", "additional_kwargs": kept})
    return Answer(message, report)


def draft_of(message: Any, metadata: Mapping[str, Any]) -> Json | None:
    """What a piece of a model's stream adds to its thought and to its draft; None where it is no answer's."""
    if metadata.get("langgraph_node") not in MODE_OF_NODE or not isinstance(message, AIMessageChunk):
        return None
    thought = "".join(block.get("reasoning", "") for block in sent_thoughts(message))
    text = str(message.text)
    return {"thought": thought, "text": text} if thought or text else None


def _within(around: Around, step: Next) -> Next:
    async def call(question: Question) -> Answer:
        return await around(question, step)

    return call
