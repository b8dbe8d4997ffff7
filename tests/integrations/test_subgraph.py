"""The graph inside a larger one: its state mapped, its namespaces, its interrupts, its stream."""

import operator
import warnings
from typing import Annotated, Any, TypedDict

import pytest
from graph_ways import WAYS, disbelieved, sure
from langchain_core._api import LangChainBetaWarning
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.integrations.subgraph import is_settled, reasoning_node
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}
ASKING = ReasonerConfig(review="low_confidence", max_refinements=0)
NO_REFINING = ReasonerConfig(max_refinements=0)
FEW_WAYS = ("invoke", "ainvoke", "stream messages", "astream updates v2")


class Order(TypedDict, total=False):
    problem: str
    total: str
    risk: str
    done_by: str
    totals: Annotated[list[str], operator.add]


def scripted(*steps):
    return ScriptedChatModel(steps, logprobs_in_chunks=True)


def node_of(*steps, config=None, **mapping):
    """A node around a scripted model that reads `problem` and writes `total`."""
    graph = build_reasoning_graph(scripted(*steps), config=config)
    read = {"ask": lambda state: state["problem"], "tell": lambda answer, _report: {"total": answer.text}}
    return reasoning_node(graph, **{**read, **mapping})


def parent_of(node, **options):
    parent = StateGraph(Order)
    parent.add_node("reasoner", node)
    parent.add_edge(START, "reasoner")
    return parent.compile(**options)


@pytest.fixture(params=WAYS)
def ask(request):
    """A function from a parent and an input to its final state and interrupts, in every way to run a graph."""
    return _asking(request.param)


@pytest.fixture(params=FEW_WAYS)
def ask_few(request):
    """The same in a few ways."""
    return _asking(request.param)


def _asking(way):
    def ask(parent, given, **options):
        # `WAYS` reads the last state from messages; a parent without them is read from its checkpoint.
        run_config = options.setdefault("config", THREAD)
        given = {"problem": given, "messages": []} if isinstance(given, str) else given
        WAYS[way](parent, given, **options)
        snapshot = parent.get_state(run_config)
        return snapshot.values, snapshot.interrupts

    return ask


class Keeping(Order):
    messages: list[Any]


def keeping_parent_of(node, **options):
    parent = StateGraph(Keeping)
    parent.add_node("reasoner", node)
    parent.add_edge(START, "reasoner")
    return parent.compile(checkpointer=InMemorySaver(), **options)


def test_maps_the_parents_state_in_and_out(ask):
    node = node_of(
        disbelieved("41"),
        sure("42"),
        tell=lambda answer, report: {"total": answer.text, "risk": report["rounds"][-1]["verdict"]},
    )
    state, _ = ask(keeping_parent_of(node), "How much?")
    assert (state["total"], state["risk"]) == ("42", "accept")
    assert state["messages"] == []


def test_a_question_may_be_a_thread():
    model = scripted(sure("42"))
    node = reasoning_node(
        build_reasoning_graph(model),
        ask=lambda state: [("user", "Hello"), ("assistant", "Hi"), ("user", state["problem"])],
        tell=lambda answer, _report: {"total": answer.text},
    )
    assert parent_of(node).invoke({"problem": "How much?"})["total"] == "42"
    assert [message.text for message in model.calls[0].messages] == ["Hello", "Hi", "How much?"]


@pytest.mark.parametrize(("first", "expected"), [(sure("42"), "clerk"), (disbelieved("41"), "person")])
def test_the_report_names_the_next_node(first, expected):
    node = node_of(
        first,
        disbelieved("41"),
        config=NO_REFINING,
        goto=lambda report: "clerk" if is_settled(report) else "person",
    )
    parent = StateGraph(Order)
    parent.add_node("reasoner", node, destinations=("clerk", "person"))
    parent.add_node("clerk", lambda _state: {"done_by": "clerk"})
    parent.add_node("person", lambda _state: {"done_by": "person"})
    parent.add_edge(START, "reasoner")
    assert parent.compile().invoke({"problem": "How much?"})["done_by"] == expected


def test_leaves_its_own_graph_for_a_node_of_the_parent(ask_few):
    team = StateGraph(Keeping)
    team.add_node("reasoner", node_of(sure("42"), goto=lambda _report: "billing", leave=True))
    team.add_node("never", lambda _state: {"done_by": "nobody"})
    team.add_edge(START, "reasoner")
    team.add_edge("reasoner", "never")
    parent = StateGraph(Keeping)
    parent.add_node("team", team.compile(), destinations=("billing",))
    parent.add_node("billing", lambda state: {"done_by": f"billing {state['total']}"})
    parent.add_edge(START, "team")
    state, _ = ask_few(parent.compile(checkpointer=InMemorySaver()), "How much?")
    assert state["done_by"] == "billing 42"


def test_a_gated_tool_may_hand_over_to_a_node_of_the_parent():
    @tool
    def transfer(call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Hand over to billing."""
        said = ToolMessage("transferred", tool_call_id=call_id)
        return Command(graph=Command.PARENT, goto="billing", update={"messages": [said]})

    def graph_after(probability):
        call = Reply(tool_calls=[{"name": "transfer", "args": {}}], probability=probability)
        parent = StateGraph(MessagesState)
        parent.add_node("reasoner", build_reasoning_graph(scripted(call, call), tools=[transfer]))
        parent.add_node("billing", lambda _state: {"messages": [("ai", "Billing here.")]})
        parent.add_edge(START, "reasoner")
        return parent.compile()

    assert graph_after(0.99).invoke({"messages": "My bill?"})["messages"][-1].text == "Billing here."
    assert "nothing was run" in graph_after(0.3).invoke({"messages": "My bill?"})["messages"][-1].text


def test_a_review_surfaces_in_the_parent_and_no_model_is_asked_twice(ask_few):
    model = scripted(disbelieved("41"), disbelieved("42"))
    node = reasoning_node(
        build_reasoning_graph(model, config=ASKING),
        ask=lambda state: state["problem"],
        tell=lambda answer, _report: {"total": answer.text},
    )
    parent = keeping_parent_of(node)
    _, [waiting] = ask_few(parent, "How much?")
    assert (waiting.value["kind"], waiting.value["answer"]) == ("review", "42")
    state, interrupts = ask_few(parent, Command(resume={"action": "edit", "answer": "43"}))
    assert (state["total"], interrupts) == ("43", ())
    model.assert_exhausted()


def test_while_it_waits_its_state_lies_in_a_namespace_of_its_own():
    parent = parent_of(
        node_of(disbelieved("41"), disbelieved("42"), config=ASKING), checkpointer=InMemorySaver()
    )
    parent.invoke({"problem": "How much?"}, THREAD)
    [task] = parent.get_state(THREAD, subgraphs=True).tasks
    assert task.state.config["configurable"]["checkpoint_ns"].startswith("reasoner:")
    assert [one["node"] for one in task.state.values["reasoning"]["rounds"]] == ["fast_answer", "deep_think"]


def test_copies_at_once_wait_and_resume_each_by_itself():
    steps = [lambda call: disbelieved(f"{call.messages[-1].text} 1")] * 4
    node = node_of(*steps, config=ASKING, tell=lambda answer, _report: {"totals": [answer.text]})
    parent = StateGraph(Order)
    parent.add_node("reasoner", node)
    parent.add_conditional_edges(
        START, lambda _state: [Send("reasoner", {"problem": each}) for each in ("A?", "B?")], ["reasoner"]
    )
    compiled = parent.compile(checkpointer=InMemorySaver())
    waiting = compiled.invoke({}, THREAD)["__interrupt__"]
    assert sorted(one.value["answer"] for one in waiting) == ["A? 1", "B? 1"]
    replies = {
        one.id: {"action": "edit", "answer": f"{one.value['answer'][0]} is settled"} for one in waiting
    }
    assert compiled.invoke(Command(resume=replies), THREAD)["totals"] == ["A is settled", "B is settled"]


def test_two_reasoners_in_one_parent_do_not_share_their_state():
    parent = StateGraph(Order)
    parent.add_node("first", node_of(sure("42")))
    parent.add_node(
        "second", node_of(disbelieved("9"), sure("7"), tell=lambda answer, _report: {"risk": answer.text})
    )
    parent.add_edge(START, "first")
    parent.add_edge("first", "second")
    state = parent.compile(checkpointer=InMemorySaver()).invoke({"problem": "How much?"}, THREAD)
    assert (state["total"], state["risk"]) == ("42", "7")


def test_with_a_thread_of_its_own_it_counts_the_threads_spending():
    config = ReasonerConfig(budget=Budget(max_model_calls=1, per="thread"))
    graph = build_reasoning_graph(scripted(sure("42"), sure("43")), config=config, checkpointer=True)
    node = reasoning_node(
        graph,
        ask=lambda state: state["problem"],
        tell=lambda answer, report: {
            "total": answer.text,
            "risk": str(report["budget"] and report["budget"]["exhausted"]),
        },
    )
    parent = parent_of(node, checkpointer=InMemorySaver())
    assert parent.invoke({"problem": "How much?"}, THREAD)["total"] == "42"
    state = parent.invoke({"problem": "And now?"}, THREAD)
    assert state["total"].startswith("No answer")
    assert "1 of 1 model calls" in state["risk"]


@pytest.mark.parametrize("direct", [True, False], ids=["compiled graph", "reasoning_node"])
@pytest.mark.parametrize("mode", ["values", "updates", "messages", "custom", "tasks", "checkpoints", "debug"])
def test_the_inside_streams_in_every_mode(mode, direct):
    parent = StateGraph(Keeping if not direct else MessagesState)
    parent.add_node(
        "reasoner", build_reasoning_graph(scripted(sure("4 2"))) if direct else node_of(sure("4 2"))
    )
    parent.add_edge(START, "reasoner")
    given = {"messages": [("user", "How much?")], "problem": "How much?"}
    compiled = parent.compile(checkpointer=InMemorySaver())
    parts = list(compiled.stream(given, THREAD, stream_mode=mode, subgraphs=True, version="v2"))
    inside = [part for part in parts if part["ns"] and part["ns"][0].startswith("reasoner:")]
    assert inside
    if mode == "messages":
        tokens = [
            part["data"][0].text for part in inside if part["data"][1]["langgraph_node"] == "fast_answer"
        ]
        assert "".join(tokens) == "4 2"
    if mode == "custom":
        assert [part["data"]["event"] for part in inside] == ["triage", "call", "round", "hand_off"]
    if mode == "updates":
        assert [*inside[0]["data"]] == ["triage"]


def test_the_inside_is_a_subgraph_of_v3_events():
    parent = parent_of(node_of(sure("4 2")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        run = parent.stream_events({"problem": "How much?"}, version="v3")
        names = [each.path[-1].split(":")[0] for each in run.subgraphs]
    assert names == ["reasoner"]
    assert run.output["total"] == "4 2"


def test_the_drawing_opens_the_inside():
    drawn = set(parent_of(build_reasoning_graph(scripted())).get_graph(xray=True).nodes)
    assert "reasoner:confidence_gate" in drawn
    assert END in drawn
