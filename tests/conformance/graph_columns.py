"""The ways in that are compiled graphs: each method asks in one cell's way, and gives what was seen."""

import asyncio
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
from in_process import (
    ASKING,
    PLAIN,
    THREAD,
    gathered,
    given,
    last_message,
    report_of,
    reviewed,
    seen_message,
    without_beta,
)
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

from adaptive_reasoner import (
    AdaptiveReasoningMiddleware,
    build_reasoning_graph,
)
from adaptive_reasoner.testing import Reply


class Compiled:
    """A compiled graph: what the graph itself, an agent and a parent graph have in common."""

    def graph(self, fast=None, deep=None, config=PLAIN, **options) -> Any:
        raise AssertionError("each column builds its own")

    def invoke(self):
        return [self._seen(self.graph().invoke(given()))]

    def ainvoke(self):
        return [self._seen(asyncio.run(self.graph().ainvoke(given())))]

    def stream(self):
        modes = ["messages", "values"]
        parts = list(self.graph().stream(given(), stream_mode=modes, subgraphs=True, version="v2"))
        return [self._streamed(parts)]

    def astream(self):
        modes = ["messages", "values"]
        stream = self.graph().astream(given(), stream_mode=modes, subgraphs=True, version="v2")
        return [self._streamed(asyncio.run(gathered(stream)))]

    def v2_events(self):
        events = asyncio.run(gathered(self.graph().astream_events(given(), version="v2")))
        ends = [event for event in events if event["event"] == "on_chain_end" and not event["parent_ids"]]
        said = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
        return [self._seen(ends[-1]["data"]["output"], self.pieces_of(said))]

    def v3_events(self):
        run = without_beta(lambda: self.graph().stream_events(given(), version="v3"))
        streamed = without_beta(lambda: [list(message.text) for message in run.messages])
        return [self._seen(run.output, streamed[-1] if streamed else ())]

    def pieces_of(self, said):
        """What a client shows of streamed chunks: a newer message stands in the place of a draft."""
        return last_message(said)

    def batch(self):
        return [self._seen(each) for each in self.graph().batch([given(), given(CUPS)])]

    def abatch(self):
        outputs = asyncio.run(self.graph().abatch([given(), given(CUPS)]))
        return [self._seen(each) for each in outputs]

    def structured_output(self):
        output = self.graph(*with_place()).invoke(given(), **_json_wanted())
        return [self._seen(output, more=Place.model_validate_json(output["messages"][-1].text))]

    def multi_turn(self):
        deep = thinking()
        graph = self.graph(None, deep, checkpointer=InMemorySaver())
        first, second = (self._seen(graph.invoke(given(each), THREAD)) for each in (PENS, CUPS))
        second.more = deep.calls[-1].messages
        return [first, second]

    def interrupts(self):
        return [reviewed(self.graph(*undecided(), ASKING, checkpointer=InMemorySaver()))]

    def tools(self):
        asked = []
        output = self.graph(with_tools(), tools=[weather_of(asked)]).invoke(given("Weather in Rome?"))
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
        run = without_beta(lambda: self.graph().stream_events(given(), version="v3"))
        [pieces] = without_beta(lambda: [list(message.text) for message in run.messages])
        return [self._seen(run.output, pieces)]

    def structured_output(self):
        fast = playing(Reply(tool_calls=[{"name": "Place", "args": {"city": "Rom"}}], probability=0.3))
        deep = playing(Reply(tool_calls=[{"name": "Place", "args": {"city": "Rome"}}]))
        output = self.graph(fast, deep, response_format=Place).invoke(given("Where to?"))
        message = next(each for each in reversed(output["messages"]) if each.type == "ai")
        return [seen_message(message, more=output["structured_response"])]

    def _called(self, output, city):
        return Seen("Sunny.", report_of(output["messages"][1]), more=city)

    def _seen(self, output, pieces=(), more=None):
        seen = seen_message(output["messages"][-1], pieces, more)
        assert output["adaptive_reasoning"] == seen.report
        return seen


def _json_wanted():
    return {"context": {"model_kwargs": {"response_format": PLACE_FORMAT}}}
