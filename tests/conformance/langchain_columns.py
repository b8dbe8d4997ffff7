"""The ways in that live in a process: each method is one cell's way to ask, and gives what was seen."""

import asyncio
import warnings
from functools import reduce
from operator import add
from typing import Annotated, Any, TypedDict

from conformance_scripts import (
    CUPS,
    PENS,
    PLACE_FORMAT,
    Place,
    Seen,
    drafting,
    playing,
    thinking,
    undecided,
    weather_of,
    with_place,
    with_tools,
)
from langchain.agents import create_agent
from langchain_core._api import LangChainBetaWarning
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command

from adaptive_reasoner import (
    AdaptiveChatModel,
    AdaptiveReasoningMiddleware,
    ReasonerConfig,
    build_reasoning_graph,
    reasoning_tool,
)
from adaptive_reasoner.integrations.tool import tool_of
from adaptive_reasoner.testing import Reply

THREAD = {"configurable": {"thread_id": "1"}}
PLAIN = ReasonerConfig(triage="off")
ASKING = ReasonerConfig(triage="off", review="low_confidence", max_refinements=0)
EDIT = Command(resume={"action": "edit", "answer": "43 pens"})


def report_of(message):
    return message.response_metadata["adaptive_reasoning"]


def seen_message(message, pieces=(), more=None):
    return Seen(str(message.text), report_of(message), list(pieces), more)


def without_beta(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return call()


async def gathered(stream):
    return [one async for one in stream]


class ChatModel:
    """`AdaptiveChatModel`."""

    def model(self, fast=None, deep=None, config=PLAIN):
        return AdaptiveChatModel(fast=fast or drafting(), deep=deep or thinking(), config=config)

    def invoke(self):
        return [seen_message(self.model().invoke(PENS))]

    def ainvoke(self):
        return [seen_message(asyncio.run(self.model().ainvoke(PENS)))]

    def stream(self):
        chunks = list(self.model().stream(PENS))
        return [seen_message(reduce(add, chunks), [chunk.text for chunk in chunks])]

    def astream(self):
        chunks = asyncio.run(gathered(self.model().astream(PENS)))
        return [seen_message(reduce(add, chunks), [chunk.text for chunk in chunks])]

    def v2_events(self):
        events = asyncio.run(gathered(self.model().astream_events(PENS, version="v2")))
        own = [event for event in events if not event["parent_ids"]]
        pieces = [event["data"]["chunk"].text for event in own if event["event"] == "on_chat_model_stream"]
        return [seen_message(own[-1]["data"]["output"], pieces)]

    def v3_events(self):
        stream = without_beta(lambda: self.model().stream_events(PENS, version="v3"))
        pieces = without_beta(lambda: list(stream.text))
        return [seen_message(stream.output, pieces)]

    def batch(self):
        return [seen_message(each) for each in self.model().batch([PENS, CUPS])]

    def abatch(self):
        return [seen_message(each) for each in asyncio.run(self.model().abatch([PENS, CUPS]))]

    def tools(self):
        asked = []
        message = self.model(with_tools()).bind_tools([weather_of(asked)]).invoke("Weather in Rome?")
        assert asked == [], "a chat model runs nothing"
        return [seen_message(message, more=message.tool_calls[0]["args"]["city"])]

    def structured_output(self):
        fast = playing(Reply(tool_calls=[{"name": "Place", "args": {"city": "Rom"}}], probability=0.3))
        deep = playing(Reply(tool_calls=[{"name": "Place", "args": {"city": "Rome"}}]))
        output = self.model(fast, deep).with_structured_output(Place, include_raw=True).invoke("Where to?")
        return [seen_message(output["raw"], more=output["parsed"])]

    def multi_turn(self):
        fast, deep = drafting(), thinking()
        model = self.model(fast, deep)
        first = model.invoke(PENS)
        second = model.invoke([HumanMessage(PENS), first, HumanMessage(CUPS)])
        return [seen_message(first), seen_message(second, more=deep.calls[-1].messages)]

    def interrupts(self):
        model = self.model(*undecided(), ASKING)
        graph = StateGraph(MessagesState)
        graph.add_node("ask", lambda state: {"messages": [model.invoke(state["messages"])]})
        graph.add_edge(START, "ask")
        return [_reviewed(graph.compile(checkpointer=InMemorySaver()))]


class Compiled:
    """A compiled graph: what the graph itself, an agent and a parent graph have in common."""

    def graph(self, fast=None, deep=None, config=PLAIN, **options) -> Any:
        raise AssertionError("each column builds its own")

    def invoke(self):
        return [self._seen(self.graph().invoke(_given()))]

    def ainvoke(self):
        return [self._seen(asyncio.run(self.graph().ainvoke(_given())))]

    def stream(self):
        modes = ["messages", "values"]
        parts = list(self.graph().stream(_given(), stream_mode=modes, subgraphs=True, version="v2"))
        return [self._streamed(parts)]

    def astream(self):
        modes = ["messages", "values"]
        stream = self.graph().astream(_given(), stream_mode=modes, subgraphs=True, version="v2")
        return [self._streamed(asyncio.run(gathered(stream)))]

    def v2_events(self):
        events = asyncio.run(gathered(self.graph().astream_events(_given(), version="v2")))
        ends = [event for event in events if event["event"] == "on_chain_end" and not event["parent_ids"]]
        said = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
        return [self._seen(ends[-1]["data"]["output"], self.pieces_of(said))]

    def v3_events(self):
        run = without_beta(lambda: self.graph().stream_events(_given(), version="v3"))
        streamed = without_beta(lambda: [list(message.text) for message in run.messages])
        return [self._seen(run.output, streamed[-1] if streamed else ())]

    def pieces_of(self, said):
        """What a client shows of streamed chunks: a newer message stands in the place of a draft."""
        return _last_message(said)

    def batch(self):
        return [self._seen(each) for each in self.graph().batch([_given(), _given(CUPS)])]

    def abatch(self):
        outputs = asyncio.run(self.graph().abatch([_given(), _given(CUPS)]))
        return [self._seen(each) for each in outputs]

    def structured_output(self):
        output = self.graph(*with_place()).invoke(_given(), **_json_wanted())
        return [self._seen(output, more=Place.model_validate_json(output["messages"][-1].text))]

    def multi_turn(self):
        deep = thinking()
        graph = self.graph(None, deep, checkpointer=InMemorySaver())
        first, second = (self._seen(graph.invoke(_given(each), THREAD)) for each in (PENS, CUPS))
        second.more = deep.calls[-1].messages
        return [first, second]

    def interrupts(self):
        return [_reviewed(self.graph(*undecided(), ASKING, checkpointer=InMemorySaver()))]

    def tools(self):
        asked = []
        output = self.graph(with_tools(), tools=[weather_of(asked)]).invoke(_given("Weather in Rome?"))
        assert output["messages"][-1].text == "Sunny."
        [city] = asked
        return [self._called(output, city)]

    def _called(self, output, city):
        report = output["reasoning"]
        assert [one["verdict"] for one in report["rounds"]][2:] == ["accept"]
        return Seen("Sunny.", {**report, "rounds": report["rounds"][:2]}, more=city)

    def _seen(self, output, pieces=(), more=None):
        seen = seen_message(output["messages"][-1], pieces, more)
        assert output["reasoning"] == seen.report
        return seen

    def _streamed(self, parts):
        said = [part["data"][0] for part in parts if part["type"] == "messages"]
        values = [part["data"] for part in parts if part["type"] == "values" and not part["ns"]]
        return self._seen(values[-1], self.pieces_of(said))


class Graph(Compiled):
    """`build_reasoning_graph`."""

    def graph(self, fast=None, deep=None, config=PLAIN, **options):
        return build_reasoning_graph(fast or drafting(), deep or thinking(), config=config, **options)


class ParentState(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    reasoning: dict


class Subgraph(Compiled):
    """The compiled graph as a node of a larger one."""

    def graph(self, fast=None, deep=None, config=PLAIN, tools=(), **options):
        inner = build_reasoning_graph(fast or drafting(), deep or thinking(), tools=tools, config=config)
        parent = StateGraph(ParentState, context_schema=dict)
        parent.add_node("reasoner", inner)
        parent.add_edge(START, "reasoner")
        return parent.compile(**options)


class Middleware(Compiled):
    """`AdaptiveReasoningMiddleware` in `create_agent`."""

    def graph(self, fast=None, deep=None, config=PLAIN, tools=(), **options):
        middleware = [AdaptiveReasoningMiddleware(deep or thinking(), config=config)]
        return create_agent(fast or drafting(), list(tools), middleware=middleware, **options)

    def pieces_of(self, said):
        """Everything: clients of agents add up what comes, so no draft may be among it."""
        return [chunk.text for chunk in said]

    def v3_events(self):
        run = without_beta(lambda: self.graph().stream_events(_given(), version="v3"))
        [pieces] = without_beta(lambda: [list(message.text) for message in run.messages])
        return [self._seen(run.output, pieces)]

    def structured_output(self):
        fast = playing(Reply(tool_calls=[{"name": "Place", "args": {"city": "Rom"}}], probability=0.3))
        deep = playing(Reply(tool_calls=[{"name": "Place", "args": {"city": "Rome"}}]))
        output = self.graph(fast, deep, response_format=Place).invoke(_given("Where to?"))
        message = next(each for each in reversed(output["messages"]) if each.type == "ai")
        return [seen_message(message, more=output["structured_response"])]

    def _called(self, output, city):
        return Seen("Sunny.", report_of(output["messages"][1]), more=city)

    def _seen(self, output, pieces=(), more=None):
        seen = seen_message(output["messages"][-1], pieces, more)
        assert output["adaptive_reasoning"] == seen.report
        return seen


class Tool:
    """`reasoning_tool`."""

    def tool(self, fast=None, deep=None, config=PLAIN):
        return reasoning_tool(fast or drafting(), deep or thinking(), config=config)

    def invoke(self):
        return [_artifact(self.tool().invoke(_called()))]

    def ainvoke(self):
        return [_artifact(asyncio.run(self.tool().ainvoke(_called())))]

    def v2_events(self):
        events = asyncio.run(gathered(self.tool().astream_events(_called(), version="v2")))
        ends = [event for event in events if event["event"] == "on_tool_end"]
        said = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
        return [_artifact(ends[-1]["data"]["output"], _last_message(said))]

    def batch(self):
        return [_artifact(each) for each in self.tool().batch([_called(), _called(CUPS)])]

    def abatch(self):
        return [_artifact(each) for each in asyncio.run(self.tool().abatch([_called(), _called(CUPS)]))]

    def tools(self):
        asked = []
        graph = build_reasoning_graph(with_tools(), tools=[weather_of(asked)], config=PLAIN)
        seen = _artifact(tool_of(graph).invoke(_called("Weather in Rome?")))
        assert seen.text == "Sunny."
        [city] = asked
        return [Seen("Sunny.", {**seen.report, "rounds": seen.report["rounds"][:2]}, more=city)]

    def interrupts(self):
        question = {"name": "reason", "args": {"question": PENS}}
        model = playing(Reply(tool_calls=[question]), Reply(text="Done."))
        tools = [self.tool(*undecided(), ASKING)]
        agent = create_agent(model, tools, checkpointer=InMemorySaver())
        [waiting] = agent.invoke(_given(), THREAD)["__interrupt__"]
        assert (waiting.value["kind"], waiting.value["answer"]) == ("review", "42 pens")
        return [_artifact(agent.invoke(EDIT, THREAD)["messages"][2])]


def _given(question=PENS):
    return {"messages": [("user", question)]}


def _json_wanted():
    return {"context": {"model_kwargs": {"response_format": PLACE_FORMAT}}}


def _called(question=PENS):
    return {"type": "tool_call", "id": "1", "name": "reason", "args": {"question": question}}


def _artifact(message, pieces=()):
    return Seen(message.content, message.artifact, list(pieces))


def _last_message(said):
    """The pieces of the newest of the streamed messages: a client shows it in the place of those before."""
    spoken = [chunk for chunk in said if chunk.type != "tool" and chunk.text]
    return [chunk.text for chunk in spoken if chunk.id == spoken[-1].id]


def _reviewed(graph):
    [waiting] = graph.invoke(_given(), THREAD)["__interrupt__"]
    assert (waiting.value["kind"], waiting.value["answer"]) == ("review", "42 pens")
    return seen_message(graph.invoke(EDIT, THREAD)["messages"][-1])
