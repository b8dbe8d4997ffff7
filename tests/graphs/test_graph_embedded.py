"""The graph on the shipped model: no script, real log probabilities."""

import asyncio

import pytest
from graph_ways import WAYS, without_times
from langgraph.checkpoint.sqlite import SqliteSaver

from adaptive_reasoner import Budget, EmbeddedChatModel, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.embedded.problems import generate

THREAD = {"configurable": {"thread_id": "1"}}
HARD = (
    "A shop sells pens for 7 and cups for 12 dollars each. Tom buys 3 pens and 5 cups. "
    "He pays with 150 dollars. How much change is there?"
)
QUESTIONS = {
    "easy": "What is 12 + 7?",
    "hard": HARD,
    "not arithmetic": "Who wrote Faust?",
    "not English": "日本の首都はどこですか 🗼",
    "nothing": "?",
}


@pytest.fixture(scope="module")
def graph():
    return build_reasoning_graph("embedded")


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_way_gives_the_same_report(graph, ask_few, question):
    expected = WAYS["invoke"](graph, {"messages": QUESTIONS[question]})
    run = ask_few(graph, QUESTIONS[question])
    assert without_times(run.report) == without_times(expected.report)
    assert run.answer == expected.answer
    assert run.report["usage"]["cost_usd"] == 0.0


def test_an_easy_question_is_answered_fast_and_right(graph):
    state = graph.invoke({"messages": QUESTIONS["easy"]})
    assert [one["node"] for one in state["reasoning"]["rounds"]] == ["fast_answer"]
    assert state["messages"][-1].text == "Answer: 19"


@pytest.mark.parametrize("limit", [10, 60, 120, 200, 400])
@pytest.mark.parametrize("question", ["easy", "hard", "not English"])
def test_no_budget_is_exceeded(limit, question):
    config = ReasonerConfig(budget=Budget(max_tokens=limit), max_refinements=3)
    report = build_reasoning_graph("embedded", config=config).invoke({"messages": QUESTIONS[question]})[
        "reasoning"
    ]
    assert report["usage"]["total_tokens"] <= limit
    assert report["budget"]["used_tokens"] == report["usage"]["total_tokens"]


def test_a_money_budget_holds_for_a_free_model():
    config = ReasonerConfig(budget=Budget(max_usd=0.01))
    state = build_reasoning_graph("embedded", config=config).invoke({"messages": QUESTIONS["easy"]})
    assert state["messages"][-1].text == "Answer: 19"


def test_a_thread_of_several_turns_survives_in_sqlite(monkeypatch, tmp_path):
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    with SqliteSaver.from_conn_string(str(tmp_path / "threads")) as saver:
        graph = build_reasoning_graph("embedded", checkpointer=saver)
        for question in ("What is 12 + 7?", "yes", "and then?", HARD):
            state = graph.invoke({"messages": question}, THREAD)
        assert len(state["messages"]) == 8


def test_many_at_once_give_what_one_at_a_time_gives(graph):
    problems = [problem.question for problem in generate("test", 6)]

    async def every_one():
        return await asyncio.gather(*[graph.ainvoke({"messages": question}) for question in problems])

    together = [state["messages"][-1].text for state in asyncio.run(every_one())]
    assert together == [graph.invoke({"messages": question})["messages"][-1].text for question in problems]


def test_a_model_of_ones_own_is_the_same_model():
    graph = build_reasoning_graph(EmbeddedChatModel(), EmbeddedChatModel(thinking="on"))
    assert graph.invoke({"messages": QUESTIONS["easy"]})["messages"][-1].text == "Answer: 19"


def test_thinking_shows_its_work_and_costs_more(graph):
    fast = graph.invoke({"messages": HARD}, context={"thinking": "off"})
    deep = graph.invoke({"messages": HARD}, context={"thinking": "on"})
    kinds = [block["type"] for block in deep["messages"][-1].content_blocks]
    assert kinds == ["reasoning", "text"]
    assert deep["reasoning"]["rounds"][0]["usage"]["reasoning_tokens"] > 0
    assert (
        deep["reasoning"]["usage"]["output_tokens"]
        > 6 * fast["reasoning"]["rounds"][0]["usage"]["output_tokens"]
    )


def test_the_loop_is_right_more_often_than_the_fast_answer(graph):
    problems = list(generate("test", 60))
    right = {"off": 0, "auto": 0}
    for problem in problems:
        for thinking in right:
            state = graph.invoke({"messages": problem.question}, context={"thinking": thinking})
            right[thinking] += state["messages"][-1].text == f"Answer: {problem.answer}"
    assert right["auto"] > right["off"]


@pytest.mark.parametrize("question", ["not arithmetic", "not English", "nothing"])
def test_outside_its_world_the_loop_says_that_it_is_not_sure(graph, question):
    rounds = graph.invoke({"messages": QUESTIONS[question]})["reasoning"]["rounds"]
    assert rounds[-1]["verdict"] == "give_up"
    assert rounds[-1]["signal"]["risk"] > 0.5
