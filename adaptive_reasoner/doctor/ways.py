"""The ways to call a model: each from a model and its arguments to the finished message."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from adaptive_reasoner.doctor.diagnosis import Way

Call = Callable[[BaseChatModel, str, Mapping[str, Any]], AIMessage]

QUESTION = "What is 12 - 5 + 3?"
TOOL_QUESTION = "What is the weather in Rome today? Use the tool."
_CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "Today's weather in a city.", "parameters": _CITY}
_ANSWER = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "schema": {**_ANSWER, "additionalProperties": False}, "strict": True},
}


def invoke(model: BaseChatModel, question: str, kwargs: Mapping[str, Any]) -> AIMessage:
    """Ask for the whole answer."""
    return model.invoke(question, **kwargs)


def stream(model: BaseChatModel, question: str, kwargs: Mapping[str, Any]) -> AIMessage:
    """Ask for a stream and add its chunks up, as LangChain does."""
    first, *rest = cast("list[Any]", list(model.stream(question, **kwargs)))
    # Where streaming is switched off, the one "chunk" is a whole message, which cannot be added to.
    whole: Any = sum(rest, first)
    return whole


def stream_events(model: BaseChatModel, question: str, kwargs: Mapping[str, Any]) -> AIMessage:
    """Ask from a node of a graph that is run for its v3 events, as threads of a LangGraph server are."""

    def node(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"], **kwargs)]}

    builder: Any = StateGraph(MessagesState)
    graph = builder.add_node("model", node).add_edge(START, "model").compile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # announced as beta
        return graph.stream_events({"messages": [("user", question)]}, version="v3").output["messages"][-1]


@dataclass(frozen=True, slots=True)
class Route:
    """One way to call.

    Attributes:
        name: of the way.
        call: calls it.
        question: what is asked.
        extra: call-time arguments that make this way.
    """

    name: Way
    call: Call
    question: str
    extra: Mapping[str, Any]


def routes(model: BaseChatModel) -> tuple[Route, ...]:
    """The ways that `model` can be called in."""
    plain = [
        Route("plain", invoke, QUESTION, {}),
        Route("streamed", stream, QUESTION, {}),
        Route("events v3", stream_events, QUESTION, {}),
    ]
    if (tools := _tool_kwargs(model)) is not None:
        plain.append(Route("tools", invoke, TOOL_QUESTION, tools))
        plain.append(Route("tools streamed", stream, TOOL_QUESTION, tools))
    if "response_format" in type(model).model_fields or hasattr(model, "use_responses_api"):
        plain.append(Route("structured", invoke, QUESTION, {"response_format": SCHEMA}))
    return tuple(plain)


def _tool_kwargs(model: BaseChatModel) -> Mapping[str, Any] | None:
    """What `bind_tools` binds; None where the model cannot call tools."""
    try:
        bound: Any = model.bind_tools([TOOL])
    except NotImplementedError:
        return None
    kwargs = getattr(bound, "kwargs", None)
    return cast("dict[str, Any]", kwargs) if isinstance(kwargs, dict) else None
