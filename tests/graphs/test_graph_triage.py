"""Where a query starts: the caller's settings, the rules in their order, and follow-ups."""

import pytest
from graph_ways import disbelieved, doubted, sure
from langgraph.checkpoint.memory import InMemorySaver

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.errors import AdaptiveReasonerError, ConfigurationError
from adaptive_reasoner.testing import ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}
GIVEN = ("context", "configurable")


def options(given, **settings):
    return {"context": settings} if given == "context" else {"config": {"configurable": settings}}


@pytest.mark.parametrize("given", GIVEN)
def test_thinking_off_never_thinks(ask_few, build, given):
    graph = build(disbelieved("41"), config=ReasonerConfig(max_refinements=0, always_think=(".",)))
    run = ask_few(graph, **options(given, thinking="off"))
    assert run.steps == [("fast_answer", "give_up")]
    assert run.report["triage"]["source"] == "caller"


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("settings", [{"thinking": "on"}, {"importance": "high"}])
def test_thinking_on_and_importance_think_at_once(ask_few, build, given, settings):
    run = ask_few(build(sure("42"), config=ReasonerConfig(never_think=(".",))), **options(given, **settings))
    assert run.steps == [("deep_think", "accept")]
    assert run.report["route"] == "deep"


def test_context_comes_before_configurable(build):
    graph = build(sure("42"))
    config = {"configurable": {"thinking": "on"}}
    report = graph.invoke({"messages": "How?"}, config, context={"thinking": "off"})["reasoning"]
    assert report["route"] == "fast"


@pytest.mark.parametrize("given", GIVEN)
def test_a_thinking_budget_reaches_the_model(given):
    from adaptive_reasoner import build_reasoning_graph

    model = ScriptedChatModel([sure("42")], model_name="adaptive-reasoner-embedded")
    graph = build_reasoning_graph(model)
    report = graph.invoke({"messages": "How much?"}, **options(given, thinking={"budget_tokens": 32}))[
        "reasoning"
    ]
    assert report["route"] == "deep"
    assert model.calls[0].kwargs["thinking"] == {"budget_tokens": 32}


@pytest.mark.parametrize(
    "settings",
    [
        {"thinking": "sometimes"},
        {"thinking": None},
        {"thinking": {"budget_tokens": 0}},
        {"thinking": {"budget_tokens": True}},
        {"thinking": {"budget": 5}},
        {"importance": "low"},
        {"budget": 5},
        {"budget": {"tokens": 5}},
        {"budget": {"max_tokens": "many"}},
        {"budget": {"max_tokens": -1}},
        {"budget": {}},
    ],
)
@pytest.mark.parametrize("given", GIVEN)
def test_settings_that_do_not_exist_are_named(build, given, settings):
    graph = build(sure("42"))
    with pytest.raises(ConfigurationError, match=f"(?i){next(iter(settings))}"):
        graph.invoke({"messages": "How much?"}, **options(given, **settings))
    assert graph.model.calls == []


def test_an_estimator_of_ones_own_decides(ask_few, build):
    class ByLength:
        def estimate(self, messages):
            gain = 0.95 if len(messages[-1].text) > 20 else 0.1
            return {"gain": gain, "difficulty": gain, "source": "length", "reason": "long questions are hard"}

    config = ReasonerConfig(triage=ByLength(), think_at_gain=0.9)
    short, long = "How much?", "How much is it all together?"
    fast = ask_few(build(sure("42"), config=config), short).report
    deep = ask_few(build(sure("42"), config=config), long).report
    assert (fast["route"], deep["route"]) == ("fast", "deep")
    assert deep["triage"]["source"] == "length"
    assert deep["triage"]["reason"] == "long questions are hard; predicted gain 0.95 ≥ 0.90"


@pytest.mark.parametrize("first", ["asked to think", "escalated"])
def test_a_follow_up_keeps_its_threads_route(ask_few, build, first):
    graph = build(
        *([] if first == "asked to think" else [disbelieved("41")]),
        sure("42"),
        sure("43"),
        checkpointer=InMemorySaver(),
    )
    asked = {"context": {"thinking": "on"}} if first == "asked to think" else {}
    ask_few(graph, "What is the plan?", config=THREAD, **asked)
    run = ask_few(graph, "and then?", config=THREAD)
    assert (run.report["route"], run.report["triage"]["source"]) == ("deep", "thread")


def test_a_follow_up_of_a_fast_turn_is_fast(ask_few, build):
    graph = build(sure("42"), sure("43"), checkpointer=InMemorySaver())
    ask_few(graph, "What is the plan?", config=THREAD)
    assert ask_few(graph, "yes", config=THREAD).report["triage"]["source"] == "thread"


def test_a_follow_up_keeps_its_route_without_a_checkpointer(ask_few, build):
    first = build(disbelieved("41"), sure("42")).invoke({"messages": "What is the plan?"})
    thread = {"messages": [*first["messages"], ("user", "and in euros?")]}
    run = ask_few(build(sure("43")), thread)
    assert (run.report["route"], run.report["triage"]["source"]) == ("deep", "thread")


@pytest.mark.parametrize("metadata", ["x", 5, [], {}, {"rounds": None}, {"rounds": ["x"]}, {"route": "odd"}])
def test_a_report_that_a_client_broke_does_no_harm(build, metadata):
    answer = {"role": "assistant", "content": "42", "response_metadata": {"adaptive_reasoning": metadata}}
    thread = [("user", "What is the plan?"), answer, ("user", "and then?")]
    assert build(sure("43")).invoke({"messages": thread})["reasoning"]["route"] == "fast"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        "",
        "  \n ",
        [("system", "Be brief.")],
        [("user", "How much?"), ("ai", "42")],
        [("user", "")],
    ],
)
def test_an_input_without_a_question_is_refused(build, messages):
    graph = build(sure("42"))
    with pytest.raises(AdaptiveReasonerError) as error:
        graph.invoke({"messages": messages})
    assert error.value.code == "invalid_input"
    assert graph.model.calls == []


def test_a_refused_input_does_not_spoil_its_thread(build):
    graph = build(sure("42"), checkpointer=InMemorySaver())
    with pytest.raises(AdaptiveReasonerError):
        graph.invoke({"messages": " "}, THREAD)
    assert graph.invoke({"messages": "How much?"}, THREAD)["messages"][-1].text == "42"
    assert all(str(message.text).strip() for message in graph.model.calls[0].messages)


def test_thinking_stays_off_where_the_deep_model_failed_to_be_asked(build):
    graph = build(doubted("41"), doubted("42"), config=ReasonerConfig(max_refinements=1))
    report = graph.invoke({"messages": "How much?"}, context={"thinking": "off"})["reasoning"]
    assert [one["node"] for one in report["rounds"]] == ["fast_answer", "refine"]
