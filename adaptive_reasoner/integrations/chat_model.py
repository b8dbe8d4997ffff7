"""`AdaptiveChatModel`: the graph as a chat model, for whatever takes one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Literal, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import BaseModel, Field, InstanceOf, PrivateAttr
from typing_extensions import override

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.graph import ReasoningGraph
from adaptive_reasoner.integrations.chat_model_answer import answer_of, as_result, chunks_of
from adaptive_reasoner.integrations.chat_model_call import (
    Kwargs,
    as_input,
    check_review,
    context_of,
    inside,
    run_config_of,
)
from adaptive_reasoner.integrations.chat_model_graph import GraphOf
from adaptive_reasoner.integrations.chat_model_profile import identity_of, profile_of_both
from adaptive_reasoner.integrations.chat_model_schema import parsed_by_schema
from adaptive_reasoner.integrations.chat_model_settings import TakesSettings
from adaptive_reasoner.integrations.chat_model_stream import DraftsAsThoughts, answer_chunks
from adaptive_reasoner.models import ModelSpec, resolve_model
from adaptive_reasoner.nodes.call_arguments import arguments_for, knows_methods

_NAME = "adaptive"
ToolSpec = dict[str, Any] | type | Callable[..., Any] | BaseTool


class AdaptiveChatModel(TakesSettings):
    """Triage, a fast answer, the gate, refinement and thinking behind `invoke`, `stream` and their async forms.

    Tools that are bound reach both models; a call of them passes the gate and is returned, never run here. A call
    that stays in doubt is not returned, the answer says so in words; a structured output is, as any answer.

    Args:
        fast: a chat model, "embedded", or a string as `init_chat_model` takes it.
        deep: the model that thinks; None is the fast model with thinking switched on.
        config: how to triage, doubt and spend.
        recorder: gets one record a call.
        temperature, max_tokens, stop: of every model call; left out, the models' own hold.
        stream_policy: whoever joins the pieces of a stream must never get a draft and an answer glued together.
            "after_verdict" streams the answer once the gate has decided; "drafts_as_thoughts" streams drafts and
            thoughts at once, too, as reasoning blocks, which clients keep apart from the text; what was sent cannot
            be taken back, so the draft that is accepted comes twice, as reasoning and then as text.
        streaming: `invoke` goes through `stream`, too.

    Call-time arguments, or `config["configurable"]`, or the context of a graph around the call: `thinking`,
    `importance`, `budget`, `tenant`; call-time alone: `answer_tools`, names of tools whose calls are answers, and
    whatever the models take (tools, tool_choice, response_format, stop, seed, …).

    The message holds the report under `response_metadata["adaptive_reasoning"]`; its usage is that of all calls.

    Raises:
        ConfigurationError: a model or a setting cannot be used; the message says what to do.
    """

    fast: BaseChatModel
    deep: BaseChatModel | None = None
    config: InstanceOf[ReasonerConfig] = Field(default_factory=ReasonerConfig, repr=False)
    recorder: Any = Field(default=None, repr=False)
    temperature: float | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    stream_policy: Literal["after_verdict", "drafts_as_thoughts"] = "after_verdict"
    streaming: bool = False

    _graph_of: GraphOf = PrivateAttr(default_factory=GraphOf)

    def __init__(
        self,
        *,
        fast: ModelSpec,
        deep: ModelSpec | None = None,
        config: ReasonerConfig | None = None,
        **fields: Any,
    ) -> None:
        if unknown := sorted(set(fields) - set(type(self).model_fields)):
            raise ConfigurationError(
                f"AdaptiveChatModel takes no {', '.join(unknown)}; set what belongs to a model on fast= and deep=."
            )
        if config is not None and not isinstance(config, ReasonerConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"config is {config!r}; give a ReasonerConfig.")
        fields["fast"], fields["deep"] = resolve_model(fast), None if deep is None else resolve_model(deep)
        fields["config"] = config or ReasonerConfig()
        super().__init__(**fields)
        self._graph_of(self)  # what cannot be built is said now

    @property
    def graph(self) -> ReasoningGraph:
        """The graph behind the model."""
        return self._graph_of(self)

    @property
    def _models(self) -> list[BaseChatModel]:
        return [self.fast] if self.deep is None else [self.fast, self.deep]

    @property
    def _runnable(self) -> Any:  # LangGraph's types are too wide for pyright to see through
        return self._graph_of(self)

    @override
    def bind_tools(
        self,
        tools: Sequence[ToolSpec],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer `tools` to both models; what is known to a provider alone is passed on as a dict.

        Args:
            tools: tools, functions, classes or dicts.
            tool_choice: as the models take it: a tool's name, "any", "auto", "none".
            **kwargs: bound with them, among them `answer_tools`.

        Raises:
            ConfigurationError: a model cannot call tools.
        """
        formatted: list[dict[str, Any]] = [
            cast("dict[str, Any]", tool) if isinstance(tool, dict) else convert_to_openai_tool(tool)
            for tool in tools
        ]
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        for model in self._models:
            arguments_for(model, {"tools": formatted, **choice})
        if "ls_structured_output_format" in kwargs:  # with_structured_output calls us: the call is the answer
            kwargs["answer_tools"] = [convert_to_openai_tool(tool)["function"]["name"] for tool in tools]
        return self.bind(tools=formatted, **choice, **kwargs)

    @override
    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: Literal["function_calling", "json_schema", "json_mode"] = "function_calling",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Answers as instances of `schema` (a pydantic class) or as dicts.

        Args:
            schema: a pydantic class, a TypedDict, or a JSON schema.
            include_raw: give {"raw", "parsed", "parsing_error"}; the report is in the raw message.
            method: the models' integrations must know the others; where one knows no methods, a tool is called, as
                LangChain has it.
            strict: as the models' integrations take it.
            **kwargs: refused, as by LangChain.

        Raises:
            ConfigurationError: a model cannot be held to the schema in this way.
        """
        if method == "function_calling" or not all(knows_methods(model) for model in self._models):
            return super().with_structured_output(schema, include_raw=include_raw, strict=strict, **kwargs)
        spec: Kwargs = {"method": method, "strict": strict}
        structured = {**spec, "schema": convert_to_json_schema(schema)}
        for model in self._models:
            arguments_for(model, {"structured_output": structured})
        # `ls_…` is what LangSmith shows of it.
        told = {"kwargs": spec, "schema": schema}
        bound = self.bind(structured_output=structured, ls_structured_output_format=told)
        return parsed_by_schema(bound, schema, include_raw=include_raw)

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return as_result(self._answer(messages, stop, run_manager, kwargs))

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return as_result(await self._aanswer(messages, stop, run_manager, kwargs))

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        if self.stream_policy == "after_verdict":
            for chunk in chunks_of(self._answer(messages, stop, run_manager, kwargs)):
                yield ChatGenerationChunk(message=chunk)
            return
        given = as_input(messages)
        drafts = DraftsAsThoughts(self._runnable, given, self._call(stop, kwargs))
        yield from drafts.chunks(run_manager)
        yield from answer_chunks(answer_of(drafts.output, given, keeps_logprobs=self._wants_logprobs(kwargs)))

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if self.stream_policy == "after_verdict":
            for chunk in chunks_of(await self._aanswer(messages, stop, run_manager, kwargs)):
                yield ChatGenerationChunk(message=chunk)
            return
        given = as_input(messages)
        drafts = DraftsAsThoughts(self._runnable, given, self._call(stop, kwargs))
        async for chunk in drafts.achunks(run_manager):
            yield chunk
        answer = answer_of(drafts.output, given, keeps_logprobs=self._wants_logprobs(kwargs))
        for chunk in answer_chunks(answer):
            yield chunk

    def _answer(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None,
        kwargs: Kwargs,
    ) -> AIMessage:
        given, call = as_input(messages), self._call(stop, kwargs)
        with inside(run_manager) as context:
            output = context.run(self._runnable.invoke, {"messages": given}, **call)
        return answer_of(output, given, keeps_logprobs=self._wants_logprobs(kwargs))

    async def _aanswer(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: AsyncCallbackManagerForLLMRun | None,
        kwargs: Kwargs,
    ) -> AIMessage:
        given, call = as_input(messages), self._call(stop, kwargs)
        with inside(run_manager) as context:
            run = self._runnable.ainvoke({"messages": given}, **call)
            output = await asyncio.create_task(run, context=context)
        return answer_of(output, given, keeps_logprobs=self._wants_logprobs(kwargs))

    def _wants_logprobs(self, kwargs: Kwargs) -> bool:
        return bool(kwargs.get("logprobs", getattr(self.fast, "logprobs", None)))

    def _call(self, stop: list[str] | None, kwargs: Kwargs) -> Kwargs:
        """Config and context of the graph's run."""
        check_review(self.config)
        own = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        set_here = {name: value for name, value in own.items() if value is not None}
        context = context_of({**set_here, **kwargs}, stop or self.stop)
        return {"config": run_config_of(self.config), "context": context}

    @override
    def get_token_ids(self, text: str) -> list[int]:
        """Token ids as the fast model counts them."""
        return self.fast.get_token_ids(text)

    @override
    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Tokens of a conversation as the fast model counts them."""
        return self.fast.get_num_tokens_from_messages(list(messages), tools)

    @override
    def _resolve_model_profile(self) -> ModelProfile | None:
        return profile_of_both(self.fast, self.deep)

    @override
    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        name = str(kwargs.get("model") or _NAME)
        return params | LangSmithParams(ls_provider="adaptive_reasoner", ls_model_name=name)

    @property
    @override
    def _llm_type(self) -> str:
        return "adaptive-reasoner"

    @property
    @override
    def _identifying_params(self) -> Kwargs:
        own = {"model_name": _NAME, "temperature": self.temperature, "max_tokens": self.max_tokens}
        return {**own, "stop": self.stop, **identity_of(self.fast, self.deep, self.config)}
