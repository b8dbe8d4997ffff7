"""A chat model that plays a script: answers with log probabilities, thoughts and tool calls, and failures."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from adaptive_reasoner.testing.errors import UnconsumedStepsError, UnexpectedCallError
from adaptive_reasoner.testing.replies import Rendering, Reply


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """One call that a scripted model received.

    Attributes:
        messages: the conversation, as the model saw it.
        kwargs: what came with this call: bound tools, `stop`, `logprobs`, `thinking` and the like.
    """

    messages: list[BaseMessage]
    kwargs: dict[str, Any]


Step = Reply | str | BaseException | Callable[[ScriptedCall], Reply]


class ScriptedChatModel(BaseChatModel):
    """Plays one step a call, in order; the same under invoke, stream, their async forms and event streaming.

    A step is a `Reply`, a text, an exception to raise, or a function from the call to a `Reply`. Scripts are
    played as they stand: `stop`, `temperature` and `max_tokens` are recorded, not obeyed. Log probabilities
    are sent when they are asked for, by field or by call. Safe to call from several threads.

    Attributes:
        model_name: reported in `response_metadata`.
        logprobs: send log probabilities by default.
        top_logprobs: entries of each top list, 0 to 20.
        logprobs_in_chunks: when streaming, put each chunk's log probabilities into it, as ChatOpenAI does, rather
            than all of them into the last one. LangChain's v3 event streaming then loses all but the last.
        thinking, reasoning_effort: accepted and recorded, as are the sampling settings.
    """

    model_name: str = "scripted"
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logprobs_in_chunks: bool = False
    thinking: Any = None
    reasoning_effort: str | None = None
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    response_format: Any = None

    _script: "_Script" = PrivateAttr()

    def __init__(self, steps: Sequence[Step], *, cycle: bool = False, **fields: Any) -> None:
        super().__init__(**fields)
        self._script = _Script(steps, cycle=cycle)

    @property
    def calls(self) -> list[ScriptedCall]:
        """Every call so far, the unexpected ones too."""
        return list(self._script.calls)

    @property
    def remaining_steps(self) -> int:
        """Steps that were not played yet; of a cycling script, those of the first cycle."""
        return max(len(self._script.steps) - len(self._script.calls), 0)

    def assert_exhausted(self) -> None:
        """Check that every step was played, and nothing beyond.

        Raises:
            UnconsumedStepsError: steps are left.
            UnexpectedCallError: the model was called after its last step, even if a caller hid that error.
        """
        if self.remaining_steps:
            raise UnconsumedStepsError(
                f"{self.remaining_steps} of {len(self._script.steps)} scripted steps were never played."
            )
        if not self._script.cycle and len(self._script.calls) > len(self._script.steps):
            raise UnexpectedCallError(self._script.overrun())

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Record `tools`, in OpenAI's shape, with every call; the script decides what is called."""
        chosen = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **chosen, **kwargs)

    @property
    def _llm_type(self) -> str:
        return "scripted-chat-model"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params.update(ls_provider="scripted", ls_model_name=kwargs.get("model", self.model_name))
        return params

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        rendering = self._next_rendering(messages, stop, kwargs)
        time.sleep(rendering.reply.delay_seconds)
        return ChatResult(generations=[ChatGeneration(message=rendering.message())])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        rendering = self._next_rendering(messages, stop, kwargs)
        await asyncio.sleep(rendering.reply.delay_seconds)
        return ChatResult(generations=[ChatGeneration(message=rendering.message())])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        rendering = self._next_rendering(messages, stop, kwargs)
        time.sleep(rendering.reply.delay_seconds)
        for chunk in rendering.chunks():
            yield ChatGenerationChunk(message=chunk)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        rendering = self._next_rendering(messages, stop, kwargs)
        await asyncio.sleep(rendering.reply.delay_seconds)
        for chunk in rendering.chunks():
            yield ChatGenerationChunk(message=chunk)

    def _next_rendering(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Rendering:
        stopped = {} if stop is None else {"stop": stop}
        reply = self._script.play(ScriptedCall(list(messages), {**kwargs, **stopped}))
        wanted = kwargs.get("logprobs", self.logprobs)
        top = kwargs.get("top_logprobs", self.top_logprobs) or 0
        in_chunks = kwargs.get("logprobs_in_chunks", self.logprobs_in_chunks)
        return Rendering(reply, messages, self.model_name, top if wanted else None, in_chunks)


class _Script:
    """The steps and what was played of them; a model's copies share it, so that none plays a step twice."""

    def __init__(self, steps: Sequence[Step], *, cycle: bool) -> None:
        self.steps = tuple(steps)
        self.cycle = cycle
        self.calls: list[ScriptedCall] = []
        self._lock = threading.Lock()

    def play(self, call: ScriptedCall) -> Reply:
        """Play the next step for `call`.

        Raises:
            UnexpectedCallError: no step is left.
        """
        with self._lock:
            place = len(self.calls)
            self.calls.append(call)
        if not self.steps or (place >= len(self.steps) and not self.cycle):
            raise UnexpectedCallError(self.overrun())
        step = self.steps[place % len(self.steps)]
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, str):
            return Reply(text=step)
        return step if isinstance(step, Reply) else step(call)

    def overrun(self) -> str:
        """Say by how much the calls exceed the script."""
        return (
            f"The script holds {len(self.steps)} steps and the model was called {len(self.calls)} times; "
            "add a step, or use cycle=True."
        )
