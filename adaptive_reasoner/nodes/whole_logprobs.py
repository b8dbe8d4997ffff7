"""A wrapper that keeps a streamed answer's log probabilities whole.

LangChain's v3 event streaming keeps only the last chunk's `response_metadata`, so a gate would score one token
instead of all, without any error. Collecting them here and attaching the whole list to the last chunk gives
the same message under invoke and under every stream mode. What LangChain leaves out of the Responses API's answers
is added at the same place (see `responses_logprobs`).
"""

# A wrapper of chat models is written against the methods that chat models override, which are all private.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, SimpleChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import InstanceOf

from adaptive_reasoner.gate.early_cut import StreamWatch
from adaptive_reasoner.nodes.isolated import DaemonThreads
from adaptive_reasoner.nodes.responses_logprobs import PlainCall, prepare_call
from adaptive_reasoner.nodes.stream_collector import StreamCollector
from adaptive_reasoner.nodes.stream_watch import Watch, aclosing, close, closing
from adaptive_reasoner.thinking import model_name_of
from adaptive_reasoner.thinking.parting import Parting, parting_for
from adaptive_reasoner.thinking.policy import KEEP, ThoughtPolicy

Result = TypeVar("Result")
Manager = TypeVar("Manager")
Metadata = dict[str, Any]

# The call-time argument that says that a rationale was asked for after the answer; no model gets it.
RATIONALE_AFTER = "rationale_after_answer"

_OUTERMOST = (
    "cache", "callbacks", "custom_get_token_ids", "disable_streaming", "metadata", "name", "output_version",
    "profile", "rate_limiter", "tags", "verbose",
)  # fmt: skip


class WholeLogprobs(BaseChatModel):
    """`inner`, with the log probabilities of all chunks on the last one, its thoughts and rationale beside the text.

    It calls the inner model's own generate and stream methods, so callbacks and traces show one call, and nothing
    that a policy hides.
    """

    inner: BaseChatModel
    streaming: bool = False
    thoughts: InstanceOf[ThoughtPolicy] = KEEP
    watch: InstanceOf[Watch] | None = None

    @classmethod
    def around(cls, inner: BaseChatModel, thoughts: ThoughtPolicy = KEEP) -> "WholeLogprobs":
        """Wrap `inner`, taking over the settings that LangChain reads from the outermost model."""
        taken = {name: getattr(inner, name) for name in _OUTERMOST}
        if "streaming" in inner.model_fields_set:  # whether it was set at all counts, too
            taken["streaming"] = getattr(inner, "streaming", False)
        if not _overrides(inner, "_stream"):
            taken["disable_streaming"] = True
        return cls(inner=inner, thoughts=thoughts, **taken)

    def watched_by(self, watch: Watch) -> "WholeLogprobs":
        """A copy for one call, which streams, whoever listens, and whose stream is cut where it must be escalated."""
        return self.model_copy(update={"watch": watch, "streaming": True})

    @property
    def _llm_type(self) -> str:
        return self.inner._llm_type

    @property
    def _identifying_params(self) -> Metadata:
        return dict(self.inner._identifying_params)

    @property
    def _serialized(self) -> Metadata:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner._serialized  # what callbacks and traces name the model by

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> Metadata:
        params = self.inner._get_invocation_params(stop=stop, **kwargs)
        # They are a part of the cache's keys, too.
        if self.thoughts is not KEEP:
            params = {**params, "thoughts": self.thoughts.name}
        return params if self.watch is None else {**params, "early_cut": self.watch.rule.to_json()}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return self.inner._get_ls_params(stop=stop, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        parting, call = self._parting(kwargs), prepare_call(self.inner, kwargs)
        manager = self._shown_to(run_manager)
        return _completed(call, parting, call.model._generate(messages, stop, manager, **call.kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        parting, call = self._parting(kwargs), prepare_call(self.inner, kwargs)
        manager = self._shown_to(run_manager)
        if _overrides(self.inner, "_agenerate"):
            result = await call.model._agenerate(messages, stop, manager, **call.kwargs)
            return _completed(call, parting, result)
        sync_manager = manager.get_sync() if manager else None
        generate = partial(call.model._generate, messages, stop, sync_manager, **call.kwargs)
        return _completed(call, parting, await _in_thread(generate))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        parting, call = self._parting(kwargs), self._streaming_call(kwargs)
        collector = self._collector(call, parting)
        with closing(call.model._stream(messages, stop, run_manager, **call.kwargs)) as chunks:
            for chunk in chunks:
                yield from collector.take(chunk)
                due = collector.cut_due()
                if due is not None and self._may_cut(due, collector):
                    break
        yield from collector.last(model_name_of(self.inner))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        parting, call = self._parting(kwargs), self._streaming_call(kwargs)
        collector = self._collector(call, parting)
        async with aclosing(self._achunks(call, messages, stop, run_manager)) as chunks:
            async for chunk in chunks:
                for ready in collector.take(chunk):
                    yield ready
                due = collector.cut_due()
                if due is not None and await asyncio.to_thread(self._may_cut, due, collector):
                    break
        for ready in collector.last(model_name_of(self.inner)):
            yield ready

    async def _achunks(
        self,
        call: PlainCall,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: AsyncCallbackManagerForLLMRun | None,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        if _overrides(self.inner, "_astream"):
            stream = call.model._astream(messages, stop, run_manager, **call.kwargs)
            async with aclosing(stream) as arriving:
                async for chunk in arriving:
                    yield chunk
            return
        sync_manager = run_manager.get_sync() if run_manager else None
        chunks = iter(call.model._stream(messages, stop, sync_manager, **call.kwargs))
        try:
            while (one := await _in_thread(partial(next, chunks, None))) is not None:
                yield one
        except GeneratorExit:  # nobody reads on, and no thread is in it
            close(chunks)
            raise

    def _collector(self, call: PlainCall, parting: Parting) -> StreamCollector:
        watch = None if self.watch is None else StreamWatch(self.watch.rule)
        return StreamCollector(call.complete, parting.stream(), watch)

    def _may_cut(self, after_tokens: int, collector: StreamCollector) -> bool:
        may_cut = self.watch is not None and self.watch.may_cut(after_tokens)
        if not may_cut:
            collector.let_go_on()
        return may_cut

    def _parting(self, kwargs: Metadata) -> Parting:
        """How the answer is taken apart; the argument that says so is taken out of `kwargs`."""
        return parting_for(self.inner, self.thoughts, has_rationale=bool(kwargs.pop(RATIONALE_AFTER, False)))

    def _shown_to(self, run_manager: Manager | None) -> Manager | None:
        """Some models tell the callbacks each token by themselves, thoughts among them."""
        return run_manager if self.thoughts is KEEP else None

    def _streaming_call(self, kwargs: Metadata) -> PlainCall:
        call = prepare_call(self.inner, kwargs)
        # ChatOpenAI leaves usage out of a stream when `base_url` is set, unless it is asked for; the Responses API
        # always sends it and refuses the question.
        if "stream_usage" in type(call.model).model_fields and type(call) is PlainCall:
            call.kwargs = {"stream_usage": True, **call.kwargs}
        return call


def _overrides(model: BaseChatModel, method: str) -> bool:
    """False where LangChain's own fallback would run, which for async methods is a thread of asyncio's."""
    implementation = getattr(type(model), method)
    return all(implementation is not getattr(base, method) for base in (BaseChatModel, SimpleChatModel))


def _completed(call: PlainCall, parting: Parting, result: ChatResult) -> ChatResult:
    for generation in result.generations:
        call.complete(generation.message)
    parted = [parting.whole(generation) for generation in result.generations]
    return ChatResult(generations=parted, llm_output=result.llm_output)


async def _in_thread(call: Callable[[], Result]) -> Result:
    """Wait for `call` in a thread that keeps no program alive: a model that hangs must not block the exit."""
    return await asyncio.get_running_loop().run_in_executor(DaemonThreads(), call)
