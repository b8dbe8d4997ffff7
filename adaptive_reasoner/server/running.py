"""Questions in, answers out: a graph for each name that is served.

A turn of a thread is kept whole or not at all: the graph runs on the thread's messages, and what was asked and
answered is written in one step once there is an answer. A run that fails, or whose client leaves, leaves no trace.
"""

import dataclasses
import uuid
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.graph import ReasoningGraph, build_reasoning_graph
from adaptive_reasoner.integrations.chat_model_call import as_input, run_config_of
from adaptive_reasoner.server.errors import ReviewRunError, ServerError, UnknownModelError
from adaptive_reasoner.server.questions import (
    ADAPTIVE,
    DEEP,
    FAST,
    Answer,
    Around,
    Json,
    Next,
    OnWaiting,
    Question,
    ServedModels,
    Waiting,
)
from adaptive_reasoner.server.settling import draft_of, settled
from adaptive_reasoner.server.walking import Walk, can_walk
from adaptive_reasoner.state import ReasoningContext, Recorder


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


def _within(around: Around, step: Next) -> Next:
    async def call(question: Question) -> Answer:
        return await around(question, step)

    return call
