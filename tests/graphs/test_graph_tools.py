"""Tools: a call passes the gate before it runs, and its result comes back into the thread."""

import pytest
from graph_ways import disbelieved, sure
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.testing import Reply

THREAD = {"configurable": {"thread_id": "1"}}


def call(city, probability=0.99, **fields):
    return Reply(tool_calls=[{"name": "weather", "args": {"city": city}}], probability=probability, **fields)


@pytest.fixture
def asked():
    """The cities that the tool was asked for."""
    return []


@pytest.fixture
def weather(asked):
    @tool
    def weather(city: str) -> str:
        """Forecast for a city."""
        asked.append(city)
        if city == "Atlantis":
            raise LookupError("no such city")
        return f"{city}: sunny"

    return weather


def test_an_accepted_call_runs_once_and_its_result_comes_back(ask, build, weather, asked):
    graph = build(call("Rome"), sure("Sunny in Rome."), tools=[weather])
    run = ask(graph, "Weather in Rome?")
    assert asked == ["Rome"]
    assert run.answer == "Sunny in Rome."
    assert run.steps == [("fast_answer", "accept"), ("fast_answer", "accept")]
    assert run.report["rounds"][0]["tool_calls"] == ["weather"]
    assert run.report["accepted_round"] == 1
    assert [message.type for message in run.state["messages"]] == ["human", "ai", "tool", "ai"]
    assert graph.model.calls[1].messages[-1].text == "Rome: sunny"
    assert graph.model.calls[1].kwargs["tools"][0]["function"]["name"] == "weather"
    assert len({message.id for message in run.state["messages"]}) == 4


def test_a_doubted_call_is_not_run_but_thought_through(ask, build, weather, asked):
    graph = build(call("Rom", 0.3), call("Rome"), sure("Sunny in Rome."), tools=[weather])
    run = ask(graph, "Weather in Rome?")
    assert asked == ["Rome"]
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept"), ("deep_think", "accept")]
    assert run.answer == "Sunny in Rome."
    assert graph.model.calls[1].messages[-1].type == "human"  # the doubted call is not in the thread


def test_a_call_that_stays_doubtful_is_not_run_and_said_so(ask, build, weather, asked):
    graph = build(call("Rom", 0.6), call("Rom", 0.6), call("Roma", 0.6), tools=[weather])
    run = ask(graph, "Weather in Rome?")
    assert asked == []
    assert run.steps == [("fast_answer", "refine"), ("refine", "escalate"), ("deep_think", "give_up")]
    assert run.answer == "I was not sure enough to call weather, so nothing was run."
    assert not run.message.tool_calls
    assert "tool_calls" not in run.message.additional_kwargs


def test_an_answer_in_words_is_better_than_a_call_that_is_not_run(build, weather):
    graph = build(
        call("Rom", 0.7),
        disbelieved("Sunny, I guess."),
        tools=[weather],
        config=ReasonerConfig(max_refinements=0),
    )
    state = graph.invoke({"messages": "Weather in Rome?"})
    assert state["messages"][-1].text == "Sunny, I guess."


def test_several_rounds_of_tools(ask_few, build, weather, asked):
    graph = build(call("Rome"), call("Oslo"), call("Paris"), sure("Sunny."), tools=[weather])
    run = ask_few(graph, "Weather?")
    assert asked == ["Rome", "Oslo", "Paris"]
    assert len(run.report["rounds"]) == 4
    assert run.report["usage"]["total_tokens"] == sum(
        one["usage"]["total_tokens"] for one in run.report["rounds"]
    )


def test_parallel_calls_all_run(ask_few, build, weather, asked):
    calls = [{"name": "weather", "args": {"city": city}} for city in ("Rome", "Oslo")]
    graph = build(Reply(tool_calls=calls), sure("Sunny."), tools=[weather])
    run = ask_few(graph, "Weather?")
    assert sorted(asked) == ["Oslo", "Rome"]
    assert [message.type for message in run.state["messages"]] == ["human", "ai", "tool", "tool", "ai"]


def test_a_tool_that_raises_answers_with_its_error(ask_few, build, weather):
    graph = build(call("Atlantis"), sure("There is no such city."), tools=[weather])
    run = ask_few(graph, "Weather in Atlantis?")
    result = run.state["messages"][2]
    assert result.status == "error"
    assert "no such city" in result.text
    assert run.answer == "There is no such city."


def test_an_unknown_tool_is_answered_with_the_names_of_those_that_exist(build, weather):
    wrong = Reply(tool_calls=[{"name": "news", "args": {"city": "Rome"}}])
    state = build(wrong, sure("No news."), tools=[weather]).invoke({"messages": "News?"})
    assert "weather" in state["messages"][2].text


def test_an_async_tool_runs(build):
    @tool
    async def weather(city: str) -> str:
        """Forecast for a city."""
        return f"{city}: rain"

    import asyncio

    graph = build(call("Rome"), sure("Rain."), tools=[weather])
    state = asyncio.run(graph.ainvoke({"messages": "Weather?"}))
    assert state["messages"][2].text == "Rome: rain"


def test_endless_tool_calls_end_at_the_cap(ask_few, build, weather, asked):
    graph = build(
        *[call(f"City{n}") for n in range(20)], tools=[weather], config=ReasonerConfig(max_model_calls=5)
    )
    run = ask_few(graph, "Weather?")
    assert len(asked) == 5
    assert run.report["rounds"][-1]["verdict"] == "give_up"
    assert run.report["budget"]["used_model_calls"] == 5
    assert "5 of 5 model calls" in run.report["budget"]["exhausted"]
    assert run.answer.startswith("No answer: ")


def test_an_answer_after_a_tool_is_escalated_with_the_tools_result(build, weather):
    graph = build(call("Rome"), disbelieved("Rain."), sure("Sunny."), tools=[weather])
    state = graph.invoke({"messages": "Weather in Rome?"})
    assert state["messages"][-1].text == "Sunny."
    assert [message.type for message in graph.model.calls[2].messages] == ["system", "human", "ai", "tool"]


def test_a_person_may_approve_a_doubted_call(ask_few, build, weather, asked):
    graph = build(
        call("Rom", 0.5),
        call("Rome", 0.7),
        sure("Sunny in Rome."),
        tools=[weather],
        config=ReasonerConfig(review="low_confidence", max_refinements=0),
        checkpointer=InMemorySaver(),
    )
    run = ask_few(graph, "Weather in Rome?", config=THREAD)
    assert run.interrupts[0].value["tool_calls"] == [{"name": "weather", "args": {"city": "Rome"}}]
    assert asked == []
    run = ask_few(graph, Command(resume="approve"), config=THREAD)
    assert asked == ["Rome"]
    assert run.answer == "Sunny in Rome."
    assert run.report["rounds"][-1]["verdict"] == "accept"


def test_a_person_may_reject_a_doubted_call(ask_few, build, weather, asked):
    config = ReasonerConfig(review="low_confidence", max_refinements=0)
    graph = build(
        call("Rom", 0.5), call("Rome", 0.7), tools=[weather], config=config, checkpointer=InMemorySaver()
    )
    ask_few(graph, "Weather in Rome?", config=THREAD)
    run = ask_few(graph, Command(resume="reject"), config=THREAD)
    assert asked == []
    assert "withheld" in run.answer
    assert not run.message.tool_calls


def test_a_call_through_an_endpoint_runs(chat_openai, scripted, weather, asked):
    served = scripted(call("Rom", 0.5), call("Rome"), sure("Sunny in Rome."))
    graph = build_reasoning_graph(chat_openai(served), tools=[weather])
    for part in graph.stream({"messages": "Weather in Rome?"}, stream_mode=["messages", "values"]):
        last = part
    assert asked == ["Rome"]
    assert last[1]["messages"][-1].text == "Sunny in Rome."


def test_a_call_that_was_not_run_does_not_spoil_the_next_turn_at_an_endpoint(chat_openai, scripted, weather):
    served = scripted(call("Rom", 0.6), call("Rom", 0.6), call("Roma", 0.6), sure("Fine."))
    graph = build_reasoning_graph(chat_openai(served), tools=[weather], checkpointer=InMemorySaver())
    graph.invoke({"messages": "Weather in Rome?"}, THREAD)
    assert graph.invoke({"messages": "Never mind. How are you?"}, THREAD)["messages"][-1].text == "Fine."
    sent = served.calls[-1].messages
    assert not any(message.tool_calls for message in sent if message.type == "ai")


def test_a_model_that_cannot_call_tools_is_refused_at_once(weather):
    with pytest.raises(ConfigurationError, match="FakeListChatModel cannot call tools"):
        build_reasoning_graph(FakeListChatModel(responses=["x"]), tools=[weather])
