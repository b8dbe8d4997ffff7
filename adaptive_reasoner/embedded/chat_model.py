"""`EmbeddedChatModel`: the shipped hybrid-thinking model as a LangChain chat model."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, cast

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field
from typing_extensions import override

from adaptive_reasoner.embedded.answer_text import Piece
from adaptive_reasoner.embedded.call_options import EFFORT_LEVELS, Thinking, resolve_options
from adaptive_reasoner.embedded.completion import (
    LOGPROBS_KEY,
    MODEL_NAME,
    MODEL_PROVIDER,
    Completion,
    PieceKind,
)
from adaptive_reasoner.embedded.conversation import read_prompt
from adaptive_reasoner.embedded.dialogue import encode_turn
from adaptive_reasoner.embedded.first_token import choose_mode
from adaptive_reasoner.embedded.generation import MIN_NEW_TOKENS
from adaptive_reasoner.embedded.known_world import why_outside
from adaptive_reasoner.embedded.openai_logprobs import choice_logprobs
from adaptive_reasoner.embedded.runtime import Runtime, shipped_runtime
from adaptive_reasoner.embedded.tokenizer import encoding
from adaptive_reasoner.embedded.tool_conversation import call_turn, read_result
from adaptive_reasoner.embedded.tool_offer import find_offer

_CONTEXT = 512  # tokens, of the shipped model
_CALL_FIELDS = (
    "thinking", "auto_share", "reasoning_effort", "temperature", "seed", "max_tokens", "stop", "logprobs",
    "top_logprobs", "logprobs_in_chunks",
)  # fmt: skip


class EmbeddedChatModel(BaseChatModel):
    """A small hybrid-thinking model for arithmetic problems in English, in this process, without a network.

    It answers questions of one to six operations with values up to 199 and was trained on nothing else:
    other questions get a number too, with honestly high token entropy. Every field but `runtime` can be
    given a call: `model.invoke("3 * 8 - 10?", thinking="on", logprobs=True, top_logprobs=20)`.

    The weights are read at the first call, once a process. The model reads the newest question and at most
    one exchange before it; system messages are left out, and images are refused. Of the tools that are bound it
    calls calculators (see `tool_offer`) with a formula that it reads from the question, after its thought where
    it thinks, and answers from the result; other tools are never called. A newest message that ends with
    `dialogue.REFINE_REQUEST_ENDING` after an answer is met with short work (a thought) and a revised answer.

    With `thinking="auto"` the model says by itself whether it thinks, by the first token after the prompt;
    `response_metadata["auto"]` tells the mode, P(<think>) and the threshold that it was held against.

    `usage_metadata` counts as output what is generated: thought, `</think>`, answer and `<eos>`; the mode
    token is part of the prompt, but where the model chose it. Thoughts come as standard `reasoning` content
    blocks before a `text` block. Log probabilities come in OpenAI's shape and cover the visible text, or the
    JSON arguments of a call; those of the thought, `</think>` left out, are under
    `response_metadata["reasoning_logprobs"]`. They are the model's own, at temperature 1 and before a token is
    forced or forbidden.

    Attributes:
        thinking: "off", "on", {"budget_tokens": n}, "auto" (the model's own choice) or "answer_first" (the
            rationale after the answer).
        auto_share: percentage of questions like those it was calibrated on that "auto" thinks about: 25, 50
            or 75.
        reasoning_effort: OpenAI's levels, instead of `thinking`: none and minimal are off, low is a budget of
            48 tokens, medium of 96, high is on.
        temperature: 0 is greedy.
        seed: makes a temperature above 0 repeatable.
        max_tokens: generated tokens, thought included; None: what the context holds.
        stop: strings before which the visible text ends.
        logprobs: report log probabilities.
        top_logprobs: alternatives a token, 0 to 20.
        logprobs_in_chunks: when streaming, put each chunk's log probabilities into it, as OpenAI does, rather
            than all of them into the last one. Off because LangChain's v3 event stream keeps only the last
            chunk's.
        runtime: other weights than the shipped ones.
    """

    model_name: str = MODEL_NAME
    thinking: Thinking = "off"
    auto_share: int = 50
    reasoning_effort: str | None = None
    temperature: float = Field(default=0.0, ge=0.0)
    seed: int | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    stop: list[str] | None = None
    logprobs: bool = False
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    logprobs_in_chunks: bool = False
    runtime: Runtime | None = Field(default=None, exclude=True, repr=False)

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        completion = self._complete(messages, stop, kwargs)
        for _ in completion.pieces():
            pass
        message = AIMessage(
            content=_content(completion),
            response_metadata=completion.metadata(),
            usage_metadata=completion.usage,
            **completion.calls(),
        )
        info = {"finish_reason": completion.finish_reason}
        return ChatResult(generations=[ChatGeneration(message=message, generation_info=info)])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        completion = self._complete(messages, stop, kwargs)
        for kind, piece in completion.pieces():
            chunk = ChatGenerationChunk(message=_chunk(completion, kind, piece))
            if run_manager is not None:
                run_manager.on_llm_new_token(piece.text if kind == "text" else "", chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(message=_last_chunk(completion))

    def _complete(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Completion:
        fields = {name: getattr(self, name) for name in _CALL_FIELDS}
        options = resolve_options(fields, stop, kwargs)
        runtime = self.runtime or shipped_runtime()
        offer = find_offer(kwargs.get("tools") or (), kwargs.get("tool_choice"))
        result = None if offer and offer.must_call else read_result(messages, runtime)
        if result is not None:
            prompt, _ = read_prompt(result.before, runtime.shape.context)
            return Completion(runtime, prompt, "fast", options, turn=result.turn)
        prompt, is_refine = read_prompt(messages, runtime.shape.context)
        call = None if is_refine else call_turn(messages, runtime, offer)
        outside = why_outside(messages, only_numbers=call is not None)
        if is_refine or options.mode != "auto":
            mode = "refine" if is_refine or options.mode == "auto" else options.mode
            return Completion(runtime, prompt, mode, options, turn=call, offer=offer, outside=outside)
        choice = choose_mode(runtime, prompt, options.auto_share)
        return Completion(
            runtime, prompt, choice.mode, options, choice, turn=call, offer=offer, outside=outside
        )

    @override
    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools, of which the model calls the first that is a calculator; see `tool_offer`.

        Args:
            tools: functions, classes, tools or schemas.
            tool_choice: "auto": where the model sees something to compute; "none"; "any" or "required": in any
                case; a tool's name. A call that asks for what the model cannot do raises `ConfigurationError`.
            **kwargs: bound as well.
        """
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=formatted, **choice, **kwargs)

    @override
    def get_token_ids(self, text: str) -> list[int]:
        """Ids of the model's own tokens, from its tiktoken encoding."""
        return encoding().encode_ordinary(text)

    @override
    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Tokens of a conversation in the model's format; system messages and tools count nothing."""
        count = 3  # <bos>, <assistant> and the mode token
        for message in messages:
            if isinstance(message, HumanMessage):
                count += 1 + len(encode_turn(message.text))
            elif isinstance(message, AIMessage):
                count += 3 + len(self.get_token_ids(message.text))
        return count

    @override
    def _resolve_model_profile(self) -> ModelProfile:
        return ModelProfile(
            name=MODEL_NAME,
            max_input_tokens=_CONTEXT - MIN_NEW_TOKENS,
            max_output_tokens=_CONTEXT,
            text_inputs=True,
            text_outputs=True,
            image_inputs=False,
            reasoning_output=True,
            reasoning_effort_levels=list(EFFORT_LEVELS),
            reasoning_effort_default="none",
            tool_calling=False,
            structured_output=False,
            temperature=True,
        )

    @override
    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        return params | LangSmithParams(
            ls_provider=MODEL_PROVIDER,
            ls_model_name=str(kwargs.get("model") or self.model_name),
            ls_temperature=kwargs.get("temperature", self.temperature),
        )

    @property
    @override
    def _llm_type(self) -> str:
        return MODEL_NAME

    @property
    @override
    def _identifying_params(self) -> dict[str, Any]:
        weights = self.runtime.weights.fingerprint if self.runtime else "shipped"
        fields = {name: getattr(self, name) for name in _CALL_FIELDS}
        return {"model_name": self.model_name, "weights": weights, **fields}


def _content(completion: Completion) -> str | list[str | dict[Any, Any]]:
    text = completion.text("text")
    if not completion.thinks:
        return text
    thought = completion.text("reasoning")
    blocks: list[str | dict[Any, Any]] = [{"type": "reasoning", "reasoning": thought}] if thought else []
    return blocks if completion.text("call") else [*blocks, {"type": "text", "text": text}]


def _chunk(completion: Completion, kind: PieceKind, piece: Piece) -> AIMessageChunk:
    metadata: dict[str, Any] = {}
    if completion.has_logprobs_in_chunks:
        metadata[LOGPROBS_KEY[kind]] = choice_logprobs(piece.tokens)
    if kind == "call":
        return _call_chunk(completion, piece, metadata)
    if not completion.thinks:
        return AIMessageChunk(content=piece.text, response_metadata=metadata)
    block = {"type": kind, kind: piece.text, "index": 0 if kind == "reasoning" else 1}
    return AIMessageChunk(content=[block], response_metadata=metadata)


def _call_chunk(completion: Completion, piece: Piece, metadata: dict[str, Any]) -> AIMessageChunk:
    """A piece of a call's arguments; the first one names the tool."""
    is_first, offer = completion.text("call") == piece.text, completion.offer
    name, call_id = (offer.name, completion.call_id) if is_first and offer else (None, None)
    chunk = tool_call_chunk(name=name, args=piece.text, id=call_id, index=0)
    return AIMessageChunk(
        content=cast("list[str | dict[Any, Any]]", []) if completion.thinks else "",
        tool_call_chunks=[chunk],
        response_metadata=metadata,
    )


def _last_chunk(completion: Completion) -> AIMessageChunk:
    position: Literal["last"] = "last"
    return AIMessageChunk(
        content=cast("list[str | dict[Any, Any]]", []) if completion.thinks else "",
        response_metadata=completion.metadata(with_logprobs=not completion.has_logprobs_in_chunks),
        usage_metadata=completion.usage,
        chunk_position=position,
    )
