"""A wrapper that keeps a streamed answer's log probabilities whole.

LangChain's v3 event streaming keeps only the last chunk's `response_metadata`, so a gate would score one token
instead of all, without any error. Collecting them here and attaching the whole list to the last chunk gives
the same message under invoke and under every stream mode.
"""

# A wrapper of chat models is written against the methods that chat models override, which are all private.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

Metadata = dict[str, Any]


class WholeLogprobs(BaseChatModel):
    """`inner`, with the log probabilities of all chunks on the last one.

    It calls the inner model's own generate and stream methods, so callbacks and traces show one call.
    """

    inner: BaseChatModel

    @classmethod
    def around(cls, inner: BaseChatModel) -> "WholeLogprobs":
        """Wrap `inner`, taking over the settings that LangChain reads from the outermost model."""
        streams = any(
            getattr(type(inner), name) is not getattr(BaseChatModel, name) for name in ("_stream", "_astream")
        )
        return cls(
            inner=inner,
            cache=inner.cache,
            rate_limiter=inner.rate_limiter,
            output_version=inner.output_version,
            profile=inner.profile,
            disable_streaming=inner.disable_streaming if streams else True,
        )

    @property
    def _llm_type(self) -> str:
        return self.inner._llm_type

    @property
    def _identifying_params(self) -> Metadata:
        return dict(self.inner._identifying_params)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return self.inner._get_ls_params(stop=stop, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self.inner._generate(messages, stop, run_manager, **kwargs)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await self.inner._agenerate(messages, stop, run_manager, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        collector = _Collector()
        for chunk in self.inner._stream(messages, stop, run_manager, **self._with_usage(kwargs)):
            yield from collector.hold_back(chunk)
        yield from collector.last()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        collector = _Collector()
        async for chunk in self.inner._astream(messages, stop, run_manager, **self._with_usage(kwargs)):
            for ready in collector.hold_back(chunk):
                yield ready
        for ready in collector.last():
            yield ready

    def _with_usage(self, kwargs: Metadata) -> Metadata:
        """ChatOpenAI leaves usage out of a stream when `base_url` is set, unless it is asked for."""
        return {"stream_usage": True, **kwargs} if "stream_usage" in type(self.inner).model_fields else kwargs


class _Collector:
    """Holds one chunk back, so that the last one can carry everything that was collected."""

    def __init__(self) -> None:
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
        yield self._held

    def _take(self, metadata: Metadata | None) -> None:
        logprobs = metadata.pop("logprobs", None) if metadata else None
        if isinstance(logprobs, dict):
            self._content += logprobs.get("content") or []  # pyright: ignore[reportUnknownMemberType]
            self._extra |= {key: value for key, value in logprobs.items() if key != "content"}  # pyright: ignore[reportUnknownVariableType]
