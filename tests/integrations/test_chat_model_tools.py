"""Tools and structured output: the gate judges a call before the caller gets it; running it is the caller's."""

import json

import pytest
from chat_model_ways import WAYS, adaptive, call, report_of, scripted, steps_of, sure
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from tool_script import tool_caller

from adaptive_reasoner import AdaptiveChatModel, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.testing import serve_openai

QUESTION = "Weather in Rome?"
CALLED = AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "1"}])
RESULT = ToolMessage("Rome: sunny", tool_call_id="1")


class Place(BaseModel):
    """Where somebody wants to go."""

    city: str


@pytest.fixture(params=WAYS)
def ask(request):
    """A function from a model and an input to its answer, in one of the ways."""
    return WAYS[request.param]


@pytest.fixture
def ran():
    """The cities that the tool was really asked for."""
    return []


@pytest.fixture
def weather(ran):
    @tool
    def weather(city: str) -> str:
        """Forecast for a city."""
        ran.append(city)
        return f"{city}: sunny"

    return weather


@pytest.fixture
def openai():
    """A function from a model behind a loopback endpoint to an OpenAI client of it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(model):
            endpoint = stack.enter_context(serve_openai(model))
            client = ChatOpenAI(model="any", base_url=endpoint.base_url, api_key="none", max_retries=0)
            return client, endpoint

        yield make


def test_an_accepted_call_is_returned_and_not_run(ask, weather, ran):
    message = ask(adaptive(call("Rome")).bind_tools([weather]), QUESTION)
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("weather", {"city": "Rome"})]
    assert steps_of(message) == [("fast_answer", "accept")]
    assert ran == []


def test_a_doubted_call_is_thought_over_first(ask, weather):
    message = ask(adaptive(call("Rom", 0.3), call("Rome")).bind_tools([weather]), QUESTION)
    assert [one["args"] for one in message.tool_calls] == [{"city": "Rome"}]
    assert steps_of(message) == [("fast_answer", "escalate"), ("deep_think", "accept")]


def test_a_call_that_stays_in_doubt_is_not_returned(ask, weather):
    message = ask(adaptive(call("Rom", 0.3), call("Roma", 0.3)).bind_tools([weather]), QUESTION)
    assert not message.tool_calls
    assert "not sure enough to call weather" in str(message.text)


def test_two_providers_get_the_tools_in_their_own_words(weather):
    class Other(type(scripted())):
        def bind_tools(self, tools, **kwargs):
            return self.bind(tools=[{"other_shape": one["function"]["name"]} for one in tools], **kwargs)

    fast = scripted(call("Rom", 0.3))
    deep = Other([call("Rome")], logprobs_in_chunks=True)
    AdaptiveChatModel(fast=fast, deep=deep).bind_tools([weather], tool_choice="any").invoke(QUESTION)
    assert fast.calls[0].kwargs["tools"][0]["function"]["name"] == "weather"
    assert deep.calls[0].kwargs["tools"] == [{"other_shape": "weather"}]
    assert (fast.calls[0].kwargs["tool_choice"], deep.calls[0].kwargs["tool_choice"]) == ("any", "any")


def test_a_model_that_cannot_call_tools_is_refused_when_they_are_bound(weather):
    model = AdaptiveChatModel(fast=scripted(), deep=FakeListChatModel(responses=["x"]))
    with pytest.raises(ConfigurationError, match="FakeListChatModel cannot call tools"):
        model.bind_tools([weather])


def test_tools_of_a_call_do_not_mix_with_those_of_a_graph(weather):
    graph = build_reasoning_graph(scripted(sure("Sunny.")), tools=[weather])
    tools = [{"type": "function", "function": {"name": "news", "parameters": {}}}]
    with pytest.raises(ConfigurationError, match="one of the two places"):
        graph.invoke({"messages": QUESTION}, context={"model_kwargs": {"tools": tools}})


def test_a_result_is_answered_and_the_person_s_question_judged(ask, weather):
    bound = adaptive(sure("Sunny in Rome.")).bind_tools([weather])
    message = ask(bound, [SystemMessage("Be brief."), HumanMessage(QUESTION), CALLED, RESULT])
    assert str(message.text) == "Sunny in Rome."
    assert report_of(message)["route"] == "fast"


def test_a_loop_goes_on_where_the_gate_sent_it(weather):
    model = adaptive(call("Rom", 0.3), call("Rome"), sure("Sunny in Rome."))
    bound = model.bind_tools([weather])
    first = bound.invoke([HumanMessage(QUESTION)])
    result = ToolMessage("Rome: sunny", tool_call_id=first.tool_calls[0]["id"])
    second = bound.invoke([HumanMessage(QUESTION), first, result])
    assert report_of(first)["route"] == "fast"
    assert steps_of(second) == [("deep_think", "accept")]
    assert report_of(second)["triage"]["source"] == "thread"


def test_a_new_question_is_judged_anew(weather):
    model = adaptive(call("Rom", 0.3), call("Rome"), sure("Paris, of course."))
    bound = model.bind_tools([weather])
    first = bound.invoke([HumanMessage(QUESTION)])
    result = ToolMessage("Rome: sunny", tool_call_id=first.tool_calls[0]["id"])
    thread = [
        HumanMessage(QUESTION),
        first,
        result,
        AIMessage("Sunny."),
        HumanMessage("What is France's capital?"),
    ]
    assert report_of(bound.invoke(thread))["route"] == "fast"


def test_a_structured_output_is_given_even_in_doubt(ask):
    structured = adaptive(call("Rom", 0.3, "Place"), call("Rome", 0.3, "Place")).with_structured_output(
        Place, include_raw=True
    )
    output = structured.invoke("Where to?")
    assert output["parsed"] == Place(city="Rome")
    assert report_of(output["raw"])["rounds"][-1]["verdict"] == "give_up"


@pytest.mark.parametrize("schema", [Place, Place.model_json_schema()])
def test_a_schema_reaches_both_models_by_their_own_means(openai, schema):
    fast, endpoint = openai(tool_caller(0.3))
    deep, other = openai(tool_caller())
    model = AdaptiveChatModel(fast=fast, deep=deep)
    found = model.with_structured_output(schema, method="json_schema").invoke("I like 'Rome'.")
    assert found in (Place(city="Rome"), {"city": "Rome"})
    for requests in (endpoint.requests, other.requests):
        assert requests[0]["response_format"]["json_schema"]["name"] == "Place"
        assert "tools" not in requests[0]


def test_an_answer_that_fits_no_schema_is_told(openai):
    fast, _ = openai(scripted(sure("Rome!"), cycle=True))
    structured = AdaptiveChatModel(fast=fast).with_structured_output(
        Place, method="json_schema", include_raw=True
    )
    output = structured.invoke("Where to?")
    assert output["parsed"] is None
    assert output["parsing_error"] is not None


def test_a_method_that_no_integration_has_is_refused(openai):
    fast, _ = openai(scripted())
    with pytest.raises(ConfigurationError, match="by 'yaml'"):
        AdaptiveChatModel(fast=fast).with_structured_output(Place, method="yaml")


def agent_of(openai, weather, *replies, **options):
    client, endpoint = openai(scripted(*replies))
    model = AdaptiveChatModel(fast=client, config=ReasonerConfig(triage="off"))
    return create_agent(model, [weather], **options), endpoint


def test_an_agent_runs_the_accepted_call_alone(openai, weather, ran):
    agent, _ = agent_of(openai, weather, call("Rom", 0.3), call("Rome"), sure("Sunny in Rome."))
    state = agent.invoke({"messages": QUESTION})
    assert ran == ["Rome"]
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert state["messages"][-1].text == "Sunny in Rome."
    assert [report_of(state["messages"][place])["route"] for place in (1, 3)] == ["fast", "deep"]


async def test_an_agent_runs_without_blocking(openai, weather, ran):
    agent, _ = agent_of(openai, weather, call("Rom", 0.3), call("Rome"), sure("Sunny in Rome."))
    state = await agent.ainvoke({"messages": QUESTION})
    assert ran == ["Rome"]
    assert state["messages"][-1].text == "Sunny in Rome."


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_agents_stream_shows_no_draft(openai, weather, version):
    agent, _ = agent_of(openai, weather, call("Rom", 0.3), call("Rome"), sure("Sunny in Rome."))
    parts = agent.stream({"messages": QUESTION}, stream_mode="messages", version=version, subgraphs=False)
    messages = [part["data"][0] if version == "v2" else part[0] for part in parts]
    said = "".join(str(message.text) for message in messages if message.type != "tool")
    assert said == "Sunny in Rome."
    arguments = "".join(
        chunk["args"] or "" for message in messages for chunk in getattr(message, "tool_call_chunks", [])
    )
    assert json.loads(arguments) == {"city": "Rome"}


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
def test_an_agents_v3_events_show_no_draft(openai, weather, ran):
    agent, _ = agent_of(openai, weather, call("Rom", 0.3), call("Rome"), sure("Sunny in Rome."))
    run = agent.stream_events({"messages": QUESTION}, version="v3")
    said = [str(message.text) for message in run.messages]
    assert [text for text in said if text] == ["Sunny in Rome."]
    assert ran == ["Rome"]


def test_an_agents_structured_answer_is_given_in_doubt_if_it_is_named(openai, weather):
    client, _ = openai(scripted(call("Rome", 0.3, "Place"), call("Rome", 0.3, "Place")))
    model = AdaptiveChatModel(fast=client, config=ReasonerConfig(triage="off"))
    bound = model.bind_tools([Place], tool_choice="any", answer_tools=["Place"])
    assert bound.invoke("Where to?").tool_calls[0]["args"] == {"city": "Rome"}
    agent = create_agent(
        AdaptiveChatModel(fast=openai(scripted(call("Rome", name="Place")))[0]),
        response_format=ToolStrategy(Place),
    )
    assert agent.invoke({"messages": "Where to?"})["structured_response"] == Place(city="Rome")
