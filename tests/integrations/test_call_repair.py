"""A doubted tool call goes back to its model with what it nearly wrote; in the graph, the middleware and the model."""

import pytest
from doubted_calls import paying, paying_both, scripted
from graph_ways import WAYS, sure
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from adaptive_reasoner import (
    AdaptiveChatModel,
    AdaptiveReasoningMiddleware,
    Budget,
    GateProfile,
    ReasonerConfig,
    build_reasoning_graph,
)

THREAD = {"configurable": {"thread_id": "1"}}
FEW_WAYS = ("invoke", "ainvoke", "stream messages", "astream_events v3")


@pytest.fixture
def paid():
    """What was paid, in order."""
    return []


@pytest.fixture
def pay(paid):
    @tool
    def pay(to: str, amount: int) -> str:
        """Pay somebody."""
        paid.append((to, amount))
        return f"{to} got {amount}"

    return pay


def rounds_of(message):
    rounds = message.response_metadata["adaptive_reasoning"]["rounds"]
    return [(one["node"], one["verdict"]) for one in rounds]


class Home:
    """Where the loop lives: the graph with tools of its own, or the middleware of an agent."""

    def __init__(self, kind, pay):
        self.kind, self.pay = kind, pay

    def build(self, model, deep=None, *, config=None, checkpointer=None):
        if self.kind == "graph":
            tools = [self.pay]
            return build_reasoning_graph(model, deep, tools=tools, config=config, checkpointer=checkpointer)
        middleware = [AdaptiveReasoningMiddleware(deep, config=config)]
        return create_agent(model, [self.pay], middleware=middleware, checkpointer=checkpointer)

    def rounds_of_call(self, state):
        """The rounds up to the first call that was run."""
        if self.kind == "middleware":
            return rounds_of(state["messages"][1])
        rounds = [(one["node"], one["verdict"]) for one in state["reasoning"]["rounds"]]
        return rounds[: [verdict for _, verdict in rounds].index("accept") + 1]


@pytest.fixture(params=["graph", "middleware"])
def home(request, pay):
    return Home(request.param, pay)


@pytest.fixture(params=FEW_WAYS)
def ask(request):
    def ask(graph, given="Pay Ada 17.", **options):
        return WAYS[request.param](graph, {"messages": given} if isinstance(given, str) else given, **options)

    return ask


@pytest.mark.parametrize("way", WAYS)
def test_the_same_model_is_asked_again_before_anything_runs(home, paid, way):
    model = scripted(paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid."))
    run = WAYS[way](home.build(model), {"messages": "Pay Ada 17."})
    assert paid == [("Ada", 17)]
    assert run.answer == "Paid."
    assert home.rounds_of_call(run.state) == [("fast_answer", "refine"), ("refine", "accept")]
    model.assert_exhausted()


def test_the_doubted_value_is_named_with_its_alternatives(home):
    model = scripted(paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid."))
    home.build(model).invoke({"messages": "Pay Ada 17."})
    *_, sent_back, result = model.calls[1].messages
    assert [call["args"] for call in sent_back.tool_calls] == [{"to": "Ada", "amount": 71}]
    assert (result.type, result.status) == ("tool", "error")
    assert result.tool_call_id == sent_back.tool_calls[0]["id"]
    assert result.text.startswith(
        'Not run, because parts of this call were uncertain (amount: "71" (59%) or "17" (40%)).'
    )
    assert "Ada" not in result.text


def test_it_is_offered_the_tools_again(home):
    model = scripted(paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid."))
    home.build(model).invoke({"messages": "Pay Ada 17."})
    assert [call.kwargs["tools"][0]["function"]["name"] for call in model.calls] == ["pay"] * 3


def test_neither_the_doubted_call_nor_its_answer_enters_the_thread(home, ask):
    run = ask(home.build(scripted(paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid."))))
    assert [message.type for message in run.state["messages"]] == ["human", "ai", "tool", "ai"]
    assert "71" not in str([message.content for message in run.state["messages"]])


def test_a_repair_that_stays_in_doubt_is_thought_through(home, ask, paid):
    model = scripted(
        paying(71, instead=[(17, 0.4)]), paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid.")
    )
    run = ask(home.build(model))
    assert paid == [("Ada", 17)]
    assert home.rounds_of_call(run.state) == [
        ("fast_answer", "refine"),
        ("refine", "escalate"),
        ("deep_think", "accept"),
    ]


def test_the_deep_models_call_is_repaired_by_the_deep_model(home, paid):
    fast = scripted(paying(71, instead=[(17, 0.6)]))
    deep = scripted(paying(7, instead=[(17, 0.4)]), paying(17), sure("Paid."))
    state = home.build(fast, deep).invoke({"messages": "Pay Ada 17."})
    assert paid == [("Ada", 17)]
    assert state["messages"][-1].text == "Paid."
    assert home.rounds_of_call(state) == [
        ("fast_answer", "escalate"),
        ("deep_think", "refine"),
        ("refine", "accept"),
    ]
    fast.assert_exhausted()


@pytest.mark.parametrize("most", [0, 1, 2])
def test_as_many_repairs_are_made_as_the_settings_allow(home, paid, most):
    doubted = [paying(amount, instead=[(17, 0.4)]) for amount in (71, 72, 73, 74)]
    model = scripted(*doubted, cycle=True)
    config = ReasonerConfig(max_refinements=most, max_model_calls=4)
    state = home.build(model, config=config).invoke({"messages": "Pay Ada 17."})
    report = state["messages"][-1].response_metadata["adaptive_reasoning"]
    assert [one["node"] for one in report["rounds"]].count("refine") == most
    assert paid == []


def test_nothing_is_fed_back_where_the_profile_found_that_it_does_not_help(pay):
    gate = GateProfile(kind="default", model="", modes={}, feeds_spans=False)
    model = scripted(paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid."))
    build_reasoning_graph(model, tools=[pay], config=ReasonerConfig(gate=gate)).invoke(
        {"messages": "Pay Ada 17."}
    )
    told = model.calls[1].messages[-1].text
    assert told.startswith("Not run, because parts of this call were uncertain. Check each value")


def test_one_doubted_call_holds_those_made_with_it(home, ask, paid):
    model = scripted(paying_both(17, 3, doubt_of_second=0.4), paying_both(17, 4), sure("Paid."))
    run = ask(home.build(model), "Pay Ada 17 and Bob 4.")
    assert sorted(paid) == [("Ada", 17), ("Bob", 4)]
    assert run.answer == "Paid."
    first, second = (message.text for message in model.calls[1].messages[-2:])
    assert first.startswith("Not run yet, because a call that you made together with this one was uncertain.")
    assert 'amount: "3" (59%) or "4" (40%)' in second


def test_a_question_in_place_of_the_call_is_an_answer(home, ask, paid):
    run = ask(home.build(scripted(paying(71, instead=[(17, 0.4)]), sure("Do you mean 17 or 71?"))))
    assert paid == []
    assert run.answer == "Do you mean 17 or 71?"


def test_a_budget_is_asked_before_each_repair(home, paid):
    model = scripted(paying(71, instead=[(17, 0.4)]))
    config = ReasonerConfig(budget=Budget(max_model_calls=1))
    message = home.build(model, config=config).invoke({"messages": "Pay Ada 17."})["messages"][-1]
    assert paid == []
    assert message.text == "I was not sure enough to call pay, so nothing was run."
    [only] = message.response_metadata["adaptive_reasoning"]["rounds"]
    assert only["verdict"] == "give_up"
    assert "1 of 1 model calls" in only["reason"]


def test_the_report_counts_what_the_repair_took(home):
    model = scripted(paying(71, instead=[(17, 0.4)]), sure("17 or 71?"))
    report = (
        home.build(model)
        .invoke({"messages": "Pay Ada 17."})["messages"][-1]
        .response_metadata["adaptive_reasoning"]
    )
    tokens = [one["usage"]["total_tokens"] for one in report["rounds"]]
    assert len(tokens) == 2
    assert tokens[1] > tokens[0] > 0  # it was sent the call and the doubt besides
    assert report["usage"]["total_tokens"] == sum(tokens)
    assert report["rounds"][0]["tool_calls"] == ["pay"]
    [span] = report["rounds"][0]["signal"]["spans"]
    assert [text for text, _ in span["alternatives"]] == ["71", "17"]


def test_what_stays_in_doubt_after_all_that_is_shown_to_a_person(home, ask, paid):
    model = scripted(
        paying(71, instead=[(17, 0.4)]),
        paying(71, instead=[(17, 0.4)]),
        paying(17, instead=[(71, 0.3)]),
        sure("Paid."),
    )
    config = ReasonerConfig(review="low_confidence")
    made = home.build(model, config=config, checkpointer=InMemorySaver())
    waiting = ask(made, config=THREAD)
    assert waiting.interrupts[0].value["tool_calls"] == [{"name": "pay", "args": {"to": "Ada", "amount": 17}}]
    assert [one["verdict"] for one in waiting.interrupts[0].value["report"]["rounds"]] == [
        "refine",
        "escalate",
        "review",
    ]
    assert paid == []
    run = ask(made, Command(resume="approve"), config=THREAD)
    assert paid == [("Ada", 17)]
    assert run.answer == "Paid."
    model.assert_exhausted()


def test_a_person_is_shown_the_least_doubted_of_the_calls(pay):
    model = scripted(
        paying(16, instead=[(17, 0.3)]), paying(71, instead=[(17, 0.45)]), paying(72, instead=[(17, 0.45)])
    )
    config = ReasonerConfig(review="low_confidence")
    graph = build_reasoning_graph(model, tools=[pay], config=config, checkpointer=InMemorySaver())
    waiting = graph.invoke({"messages": "Pay Ada 17."}, THREAD)["__interrupt__"]
    assert waiting[0].value["tool_calls"][0]["args"]["amount"] == 16


def test_the_next_tool_round_may_be_repaired_anew(home, paid):
    model = scripted(
        paying(71, instead=[(17, 0.4)]),
        paying(17),
        paying(3, instead=[(4, 0.4)], to="Bob"),
        paying(4, to="Bob"),
        sure("Paid."),
    )
    home.build(model).invoke({"messages": "Pay Ada 17, then Bob 4."})
    assert paid == [("Ada", 17), ("Bob", 4)]
    model.assert_exhausted()


def test_a_model_that_is_called_gives_back_the_repaired_call(pay):
    model = AdaptiveChatModel(fast=scripted(paying(71, instead=[(17, 0.4)]), paying(17)))
    message = model.bind_tools([pay]).invoke("Pay Ada 17.")
    assert message.tool_calls[0]["args"]["amount"] == 17
    assert rounds_of(message) == [("fast_answer", "refine"), ("refine", "accept")]


def test_a_repair_goes_through_an_endpoint_as_it_stands(chat_openai, pay, paid):
    served = scripted(paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid."))
    middleware = [AdaptiveReasoningMiddleware()]
    create_agent(chat_openai(served), [pay], middleware=middleware).invoke({"messages": "Pay Ada 17."})
    assert paid == [("Ada", 17)]
    assert [message.type for message in served.calls[1].messages] == ["human", "ai", "tool"]
    assert 'amount: "71" (59%) or "17" (40%)' in served.calls[1].messages[-1].text


def test_the_thread_stays_on_its_model_through_a_repair(pay):
    deep = scripted(model_name="large")
    fast = scripted(paying(71, instead=[(17, 0.4)]), paying(17), sure("Paid."), model_name="small")
    agent = create_agent(fast, [pay], middleware=[AdaptiveReasoningMiddleware(deep)])
    state = agent.invoke({"messages": "Pay Ada 17."})
    assert deep.calls == []
    assert "switches" not in state["adaptive_reasoning"]


def test_a_switch_after_a_repair_says_what_the_other_model_read_anew(pay):
    deep = scripted(paying(17), sure("Paid."), model_name="large")
    fast = scripted(paying(71, instead=[(17, 0.4)]), paying(71, instead=[(17, 0.4)]), model_name="small")
    agent = create_agent(fast, [pay], middleware=[AdaptiveReasoningMiddleware(deep)])
    report = agent.invoke({"messages": "Pay Ada 17."})["messages"][1].response_metadata["adaptive_reasoning"]
    read = [one["usage"]["input_tokens"] for one in report["rounds"]]
    assert report["switches"] == [
        {"round": 2, "from_model": "small", "to_model": "large", "tokens_read_anew": min(read[1], read[2])}
    ]
