"""The ways in that are called, the chat model and the tool: each method asks in one cell's way."""

import asyncio
from functools import reduce
from operator import add

from conformance_scripts import (
    CUPS,
    PENS,
    Place,
    Seen,
    drafting,
    playing,
    thinking,
    undecided,
    weather_of,
    with_tools,
)
from in_process import (
    ASKING,
    EDIT,
    PLAIN,
    THREAD,
    gathered,
    given,
    last_message,
    reviewed,
    seen_message,
    without_beta,
)
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from adaptive_reasoner import (
    AdaptiveChatModel,
    build_reasoning_graph,
    reasoning_tool,
)
from adaptive_reasoner.integrations.tool import tool_of
from adaptive_reasoner.testing import Reply


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
        return [reviewed(graph.compile(checkpointer=InMemorySaver()))]


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
        return [_artifact(ends[-1]["data"]["output"], last_message(said))]

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
        [waiting] = agent.invoke(given(), THREAD)["__interrupt__"]
        assert (waiting.value["kind"], waiting.value["answer"]) == ("review", "42 pens")
        return [_artifact(agent.invoke(EDIT, THREAD)["messages"][2])]


def _called(question=PENS):
    return {"type": "tool_call", "id": "1", "name": "reason", "args": {"question": question}}


def _artifact(message, pieces=()):
    return Seen(message.content, message.artifact, list(pieces))
