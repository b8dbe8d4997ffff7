"""`AdaptiveReasoningMiddleware`: the loop around the model call of LangChain's `create_agent`.

Every call of the agent's model goes through `AdaptiveChatModel`: triage, a fast answer, the gate on the answer or on
the arguments of the tools that it calls, refinement, thinking, a person. Tools run after that, each call once.
"""

# LangChain leaves the type arguments of its middleware open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false, reportUnknownParameterType=false

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, NotRequired, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableBinding
from langgraph.types import Command
from pydantic import Field
from typing_extensions import override

from adaptive_reasoner.checks import check_choice
from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError, MissingExtraError
from adaptive_reasoner.integrations.chat_model import AdaptiveChatModel
from adaptive_reasoner.integrations.middleware_thread import StaysOnModel, newest_report, switches_of
from adaptive_reasoner.models import ModelSpec, resolve_model
from adaptive_reasoner.nodes.tool_claims import ToolClaims, ToolResult
from adaptive_reasoner.state import ReasoningReport, Recorder
from adaptive_reasoner.thinking import model_name_of
from adaptive_reasoner.triage import AsksModel, estimator_for

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
    from langchain.agents.middleware.types import ExtendedModelResponse, OmitFromInput, PrivateStateAttr
    from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, ToolStrategy
except ImportError as error:
    raise MissingExtraError(
        'The middleware needs the extra "langchain": pip install "adaptive-reasoner[langchain]".'
    ) from error

Stay = Literal["thread", "turn"]
Handler = Callable[[ModelRequest], ModelResponse]
AsyncHandler = Callable[[ModelRequest], Awaitable[ModelResponse]]
# Agents whose models change from call to call (by another middleware) keep a few built graphs.
_MOST_MODELS = 8


class AdaptiveReasoningState(AgentState[Any]):
    """The agent's state with the newest report, and the claims on the tool calls that are to be run."""

    adaptive_reasoning: NotRequired[Annotated[ReasoningReport | None, OmitFromInput]]
    adaptive_claims: NotRequired[Annotated[dict[str, str], PrivateStateAttr]]


class _Loop(AdaptiveChatModel):
    """The chat model with arguments of its own for every call.

    They are not the request's settings, which would reach a model that another middleware puts in our place.
    """

    given: dict[str, Any] = Field(default_factory=dict, repr=False)

    @override
    def bind(self, **kwargs: Any) -> Any:
        return super().bind(**{**self.given, **kwargs})


class AdaptiveReasoningMiddleware(AgentMiddleware[AdaptiveReasoningState, Any, Any]):
    """Puts the loop around an agent's model: `create_agent(model, tools, middleware=[AdaptiveReasoningMiddleware()])`.

    The agent's own model is the fast one. A doubted tool call is thought through before it is run, and where it
    stays in doubt it is not run: the answer says so, or a person decides (`review="low_confidence"`, which needs a
    checkpointer). The report of each answer is in its `response_metadata["adaptive_reasoning"]`, the newest one in
    the agent's state under `adaptive_reasoning`. List it first, so that its claim on a tool call is made after
    everything else that may stop the call.

    Args:
        deep: the model that thinks; None is the agent's model with thinking switched on.
        config: how to triage, doubt and spend.
        fast: another model for the fast answers; None is the agent's.
        recorder: gets one record a model call.
        stay: "thread": with a deep model of its own, a thread stays on its model unless the gate escalates, because
            the other model reads it without a prompt cache; "turn": triage decides anew for each question.

    A budget per query holds for all calls that a question takes, one per thread for all of the thread; where none
    is left for a first answer, `BudgetExhaustedError` ends the run.

    Raises:
        ConfigurationError: a model or a setting cannot be used.
        MissingExtraError: LangChain is not installed.
    """

    state_schema = AdaptiveReasoningState

    def __init__(
        self,
        deep: ModelSpec | None = None,
        *,
        config: ReasonerConfig | None = None,
        fast: ModelSpec | None = None,
        recorder: Recorder | None = None,
        stay: Stay = "thread",
    ) -> None:
        super().__init__()
        check_choice("stay", stay, ("thread", "turn"))
        self._fast = None if fast is None else resolve_model(fast)
        self._deep = None if deep is None else resolve_model(deep)
        self._config = config or ReasonerConfig()
        self._recorder = recorder
        self._stays = stay == "thread" and self._deep is not None
        self._built: dict[int, _Loop] = {}
        self._tool_claims = ToolClaims(lambda state: state.get("adaptive_claims"))

    def wrap_model_call(self, request: ModelRequest, handler: Handler) -> ExtendedModelResponse:
        """Call the model within the loop."""
        return self._end(request, handler(self._begin(request)))

    async def awrap_model_call(self, request: ModelRequest, handler: AsyncHandler) -> ExtendedModelResponse:
        """The same without blocking the event loop."""
        return self._end(request, await handler(self._begin(request)))

    def after_model(self, state: AdaptiveReasoningState, runtime: Any) -> dict[str, Any] | None:  # noqa: ARG002
        """Claim the tool calls that are about to be run."""
        claims = self._tool_claims.claim(list(state["messages"]))
        return {"adaptive_claims": claims} if claims else None

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], ToolResult]) -> ToolResult:
        """Run a tool call once."""
        return self._tool_claims.run(request, handler)

    async def awrap_tool_call(
        self, request: Any, handler: Callable[[Any], Awaitable[ToolResult]]
    ) -> ToolResult:
        """The same without blocking the event loop."""
        return await self._tool_claims.arun(request, handler)

    def _begin(self, request: ModelRequest) -> ModelRequest:
        model, given = _unbound(request.model)
        if names := _answer_tools(request.response_format):
            given = {**given, "answer_tools": names}
        loop = self._around(self._fast or model)
        return request.override(model=loop.model_copy(update={"given": given}) if given else loop)

    def _around(self, fast: BaseChatModel) -> "_Loop":
        """The loop around `fast`; built once, for building compiles a graph."""
        built = self._built.get(id(fast))
        if built is None:
            built = _Loop(fast=fast, deep=self._deep, config=self._config_for(fast), recorder=self._recorder)
            if len(self._built) >= _MOST_MODELS:
                self._built.clear()
            self._built[id(fast)] = built  # which holds `fast`, so that its id stays its own
        return built

    def _config_for(self, fast: BaseChatModel) -> ReasonerConfig:
        """The settings, with a triage that keeps a thread on its model where that is wanted and can be."""
        triage = self._config.triage
        first = estimator_for(model_name_of(fast)) if triage == "auto" else triage
        if not self._stays or isinstance(first, AsksModel):
            return self._config
        if isinstance(first, str):  # "off"
            return dataclasses.replace(self._config, triage=StaysOnModel(None, None), think_at_gain=None)
        bound: float | None = self._config.think_at_gain
        if bound is None:
            bound = getattr(first, "think_at_gain", 0.9)
        return dataclasses.replace(self._config, triage=StaysOnModel(first, bound), think_at_gain=None)

    def _end(self, request: ModelRequest, response: ModelResponse) -> ExtendedModelResponse:
        """The answer with its report, also for the agent's state; None there where another model stepped in."""
        answer = next((each for each in response.result if isinstance(each, AIMessage)), None)
        report = newest_report([answer] if answer else [])
        if answer and report and self._deep:
            fast = self._fast or _unbound(request.model)[0]
            names = model_name_of(fast), model_name_of(self._deep)
            before = newest_report(cast("list[BaseMessage]", request.messages))
            if switches := switches_of(report, before, names):
                report = cast("ReasoningReport", {**report, "switches": switches})
                metadata = {**answer.response_metadata, "adaptive_reasoning": report}
                answer_again = answer.model_copy(update={"response_metadata": metadata})
                result = [answer_again if each is answer else each for each in response.result]
                response = dataclasses.replace(response, result=result)
        return ExtendedModelResponse(response, Command(update={"adaptive_reasoning": report}))


def _unbound(model: Any) -> tuple[BaseChatModel, dict[str, Any]]:
    """The chat model within a binding such as `model.bind(temperature=0)`, and what is bound to it.

    Raises:
        ConfigurationError: there is none.
    """
    bound: dict[str, Any] = {}
    while isinstance(model, RunnableBinding):
        bound = {**model.kwargs, **bound}
        model = model.bound
    if not isinstance(model, BaseChatModel):
        raise ConfigurationError(f"The agent's model is {model!r}; give a LangChain chat model.")
    return model, bound


def _answer_tools(response_format: Any) -> list[str]:
    """Names of the calls that are the agent's structured answer, not a tool's."""
    if response_format is None or isinstance(response_format, ProviderStrategy):
        return []
    schema = response_format.schema if isinstance(response_format, AutoStrategy) else response_format
    strategy = schema if isinstance(schema, ToolStrategy) else ToolStrategy(schema=schema)
    return [spec.name for spec in strategy.schema_specs]
