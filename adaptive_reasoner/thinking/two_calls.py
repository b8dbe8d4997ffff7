"""A thinking budget for models that do not bound thinking themselves, in two calls.

The first call may generate as many tokens as the budget allows. If it was cut off, its thought is closed with the
sentence that Qwen3 was trained on and sent back as the beginning of the answer, which the second call continues.
Source: github.com/QwenLM/Qwen3, docs/source/getting_started/thinking_budget.md.

vLLM and SGLang continue the last message when told so; llama.cpp always does, but only with thinking switched off
in its template, and so do vLLM's parsers keep a continued answer from being taken for a thought.

Templates of other families (Granite, DeepSeek, GLM, Gemma) take thoughts out of earlier answers, so that nothing
could be continued. Their thought is handed over as a turn of the conversation, and the second call, its thinking
switched off, answers from it.
"""

# A wrapper of chat models is written against the methods that chat models override, which are all private.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from adaptive_reasoner.thinking.chunks import as_chunk
from adaptive_reasoner.thinking.continuation import Continuation, continuation_of, joined, said_of
from adaptive_reasoner.thinking.ways import ChatKwargs

# The call-time argument that asks for the two calls; `settle_call` takes it out.
BUDGET = "thinking_budget_in_two_calls"
_CONTINUE = {"add_generation_prompt": False, "continue_final_message": True}

_NAMED = ("model_name", "model_provider", "system_fingerprint")
_CLOSING_TOKENS = 48  # of the sentence that closes a thought or hands it over, and its marks, at the most


def second_prompt_tokens(kwargs: ChatKwargs, prompt_tokens: int) -> int:
    """Tokens that a second call may read: the prompt again, the thought and its closing; 0 without one."""
    return prompt_tokens + kwargs[BUDGET] + _CLOSING_TOKENS if BUDGET in kwargs else 0


class TwoCalls(BaseChatModel):
    """`inner` with at most `budget_tokens` of thought; both calls count in the usage.

    Attributes:
        inner: makes the calls.
        budget_tokens: the most that the first call generates.
        answering: `extra_body` of the second call, beside what makes it continue.
        hands_over: the second call answers from the thought, instead of continuing it.
    """

    inner: BaseChatModel
    budget_tokens: int
    answering: ChatKwargs
    hands_over: bool = False

    @classmethod
    def around(
        cls, inner: BaseChatModel, budget_tokens: int, answering: ChatKwargs, *, hands_over: bool = False
    ) -> "TwoCalls":
        """Wrap `inner` for one call."""
        return cls(
            inner=inner,
            budget_tokens=budget_tokens,
            answering=answering,
            hands_over=hands_over,
            profile=inner.profile,
        )

    @property
    def _llm_type(self) -> str:
        return self.inner._llm_type

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        first = self.inner._generate(messages, stop, None, **self._thinking(kwargs))
        left = self._left(first, kwargs)
        if left is None:
            return first
        second = self.inner._generate(
            self._second(messages, left), stop, run_manager, **self._answering(kwargs, left)
        )
        return _result(left, second)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        first = await self.inner._agenerate(messages, stop, None, **self._thinking(kwargs))
        left = self._left(first, kwargs)
        if left is None:
            return first
        second = await self.inner._agenerate(
            self._second(messages, left), stop, run_manager, **self._answering(kwargs, left)
        )
        return _result(left, second)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """The first call as one chunk, then the second as it comes."""
        first = self.inner._generate(messages, stop, None, **self._thinking(kwargs))
        left = self._left(first, kwargs)
        yield _only(first) if left is None else ChatGenerationChunk(message=as_chunk(left.beginning()))
        if left is not None:
            arguments = self._streaming(self._answering(kwargs, left))
            yield from self.inner._stream(self._second(messages, left), stop, run_manager, **arguments)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        first = await self.inner._agenerate(messages, stop, None, **self._thinking(kwargs))
        left = self._left(first, kwargs)
        yield _only(first) if left is None else ChatGenerationChunk(message=as_chunk(left.beginning()))
        if left is not None:
            arguments = self._streaming(self._answering(kwargs, left))
            async for chunk in self.inner._astream(
                self._second(messages, left), stop, run_manager, **arguments
            ):
                yield chunk

    def _thinking(self, kwargs: ChatKwargs) -> ChatKwargs:
        """The first call's arguments; a limit below the budget holds as well, with room for the answer."""
        total = self._total(kwargs)
        most = self.budget_tokens if total is None else max(1, min(self.budget_tokens, total - total // 4))
        return _capped({name: value for name, value in kwargs.items() if name != "stream_usage"}, most)

    def _left(self, first: ChatResult, kwargs: ChatKwargs) -> Continuation | None:
        left = continuation_of(_generation(first))
        total = self._total(kwargs)
        if left is None or (total is not None and total <= left.used_tokens):
            return None
        return left.handed_over() if self.hands_over else left

    def _second(self, messages: list[BaseMessage], left: Continuation) -> list[BaseMessage]:
        return [*messages, *(left.request if self.hands_over else [left.prefix])]

    def _answering(self, kwargs: ChatKwargs, left: Continuation) -> ChatKwargs:
        total = self._total(kwargs)
        arguments = _with_body(kwargs, {**self.answering, **({} if self.hands_over else _CONTINUE)})
        return arguments if total is None else _capped(arguments, total - left.used_tokens)

    def _total(self, kwargs: ChatKwargs) -> int | None:
        return kwargs.get("max_tokens") or getattr(self.inner, "max_tokens", None)

    def _streaming(self, kwargs: ChatKwargs) -> ChatKwargs:
        """ChatOpenAI leaves usage out of a stream when `base_url` is set, unless it is asked for."""
        asks = "stream_usage" in type(self.inner).model_fields
        return {"stream_usage": True, **kwargs} if asks else kwargs


def _capped(kwargs: ChatKwargs, tokens: int) -> ChatKwargs:
    """`max_tokens` in the body, too: LangChain writes its newer name, which some servers do not know."""
    return {**_with_body(kwargs, {"max_tokens": tokens}), "max_tokens": tokens}


def _with_body(kwargs: ChatKwargs, fields: ChatKwargs) -> ChatKwargs:
    body: ChatKwargs = kwargs.get("extra_body") or {}
    return {**kwargs, "extra_body": {**body, **fields}}


def _generation(result: ChatResult) -> ChatGeneration:
    return result.generations[0]


def _result(first: Continuation, second: ChatResult) -> ChatResult:
    generation = ChatGeneration(message=joined(first, _generation(second)))
    return ChatResult(generations=[generation], llm_output=second.llm_output)


def _only(first: ChatResult) -> ChatGenerationChunk:
    """A first call that was enough, as the one chunk of a stream."""
    chunk = as_chunk(cast("AIMessage", _generation(first).message))
    named = {name: value for name, value in (first.llm_output or {}).items() if name in _NAMED}
    chunk.response_metadata = {**named, **said_of(_generation(first))}
    return ChatGenerationChunk(message=chunk)
