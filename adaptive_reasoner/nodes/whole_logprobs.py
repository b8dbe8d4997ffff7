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
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, SimpleChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from adaptive_reasoner.nodes.isolated import DaemonThreads
from adaptive_reasoner.nodes.responses_logprobs import PlainCall, prepare_call

Result = TypeVar("Result")
Metadata = dict[str, Any]

_OUTERMOST = (
    "cache", "callbacks", "custom_get_token_ids", "disable_streaming", "metadata", "name", "output_version",
    "profile", "rate_limiter", "tags", "verbose",
)  # fmt: skip


class WholeLogprobs(BaseChatModel):
    """`inner`, with the log probabilities of all chunks on the last one.

    It calls the inner model's own generate and stream methods, so callbacks and traces show one call.
    """

    inner: BaseChatModel
    streaming: bool = False

    @classmethod
    def around(cls, inner: BaseChatModel) -> "WholeLogprobs":
        """Wrap `inner`, taking over the settings that LangChain reads from the outermost model."""
        taken = {name: getattr(inner, name) for name in _OUTERMOST}
        if "streaming" in inner.model_fields_set:  # whether it was set at all counts, too
            taken["streaming"] = getattr(inner, "streaming", False)
        if not _overrides(inner, "_stream"):
            taken["disable_streaming"] = True
        return cls(inner=inner, **taken)

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
        return self.inner._get_invocation_params(stop=stop, **kwargs)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return self.inner._get_ls_params(stop=stop, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = prepare_call(self.inner, kwargs)
        return _completed(call, call.model._generate(messages, stop, run_manager, **call.kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = prepare_call(self.inner, kwargs)
        if _overrides(self.inner, "_agenerate"):
            return _completed(call, await call.model._agenerate(messages, stop, run_manager, **call.kwargs))
        sync_manager = run_manager.get_sync() if run_manager else None
        generate = partial(call.model._generate, messages, stop, sync_manager, **call.kwargs)
        return _completed(call, await _in_thread(generate))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        call = self._streaming_call(kwargs)
        collector = _Collector(call)
        for chunk in call.model._stream(messages, stop, run_manager, **call.kwargs):
            yield from collector.hold_back(chunk)
        yield from collector.last()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        call = self._streaming_call(kwargs)
        collector = _Collector(call)
        async for chunk in self._achunks(call, messages, stop, run_manager):
            for ready in collector.hold_back(chunk):
                yield ready
        for ready in collector.last():
            yield ready

    async def _achunks(
        self,
        call: PlainCall,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: AsyncCallbackManagerForLLMRun | None,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if _overrides(self.inner, "_astream"):
            async for chunk in call.model._astream(messages, stop, run_manager, **call.kwargs):
                yield chunk
            return
        sync_manager = run_manager.get_sync() if run_manager else None
        chunks = iter(call.model._stream(messages, stop, sync_manager, **call.kwargs))
        while (one := await _in_thread(partial(next, chunks, None))) is not None:
            yield one

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


def _completed(call: PlainCall, result: ChatResult) -> ChatResult:
    for generation in result.generations:
        call.complete(generation.message)
    return result


async def _in_thread(call: Callable[[], Result]) -> Result:
    """Wait for `call` in a thread that keeps no program alive: a model that hangs must not block the exit."""
    return await asyncio.get_running_loop().run_in_executor(DaemonThreads(), call)


class _Collector:
    """Holds one chunk back, so that the last one can carry everything that was collected."""

    def __init__(self, call: PlainCall) -> None:
        self._call = call
        self._held: ChatGenerationChunk | None = None
        self._content: list[Metadata] = []
        self._extra: Metadata = {}

    def hold_back(self, chunk: ChatGenerationChunk) -> Iterator[ChatGenerationChunk]:
        self._take(chunk.generation_info)
        self._take(chunk.message.response_metadata)
        if self._held is not None:
            yield self._held
        self._held = chunk

    def last(self) -> Iterator[ChatGenerationChunk]:
        if self._held is None:
            return
        if self._content or self._extra:
            whole = {**self._extra, "content": self._content or None}
            self._held.message.response_metadata["logprobs"] = whole
        self._call.complete(self._held.message)
        yield self._held

    def _take(self, metadata: Metadata | None) -> None:
        logprobs = metadata.pop("logprobs", None) if metadata else None
        if isinstance(logprobs, dict):
            self._content += logprobs.get("content") or []  # pyright: ignore[reportUnknownMemberType]
            self._extra |= {key: value for key, value in logprobs.items() if key != "content"}  # pyright: ignore[reportUnknownVariableType]
