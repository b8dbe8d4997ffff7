"""AdaptiveReasoningMiddleware: the loop around the model call of an agent."""

import asyncio
import json
import subprocess
import sys

import pytest
from graph_ways import WAYS, disbelieved, sure
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel

from adaptive_reasoner import AdaptiveReasoningMiddleware, EmbeddedChatModel, ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.integrations.middleware_thread import switches_of
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}
ASKING = ReasonerConfig(review="low_confidence", max_refinements=0)


def scripted(*steps, **fields):
    return ScriptedChatModel(steps, logprobs_in_chunks=True, **fields)


def call(item, probability=0.99):
    return Reply(tool_calls=[{"name": "price", "args": {"item": item}}], probability=probability)


class Total(BaseModel):
    """What is to be paid."""

    dollars: int


def total(dollars, probability=0.99):
    return Reply(tool_calls=[{"name": "Total", "args": {"dollars": dollars}}], probability=probability)


@pytest.fixture(params=WAYS)
def ask(request):
    """A function from an agent and its input to the `Run`, in every way to run a graph."""
    return _asking(request.param)


@pytest.fixture(params=("invoke", "ainvoke", "stream messages", "astream_events v3"))
def ask_few(request):
    """The same in a few ways."""
    return _asking(request.param)


def _asking(way):
    def ask(agent, given="What do 3 pens cost?", **options):
        return WAYS[way](agent, {"messages": given} if isinstance(given, str) else given, **options)

    return ask


@pytest.fixture
def priced():
    """The items that the tool was asked for."""
    return []


@pytest.fixture
def agent(priced):
    """A function from steps to an agent with a tool, whose model plays the steps; it carries the model."""

    @tool
    def price(item: str) -> str:
        """Price of an item."""
        priced.append(item)
        return "7 dollars"

    def make(*steps, deep=None, config=None, stay="thread", **options):
        model = scripted(*steps, model_name="small")
        middleware = AdaptiveReasoningMiddleware(deep, config=config, stay=stay)
        made = create_agent(model, [price], middleware=[middleware], **options)
        made.model = model
        return made

    return make


def steps_of(message):
    return [
        (one["node"], one["verdict"]) for one in message.response_metadata["adaptive_reasoning"]["rounds"]
    ]


def test_a_doubted_call_is_thought_through_before_anything_runs(ask, agent, priced):
    made = agent(call("pencil", 0.3), call("pen"), sure("21 dollars"))
    run = ask(made)
    assert priced == ["pen"]
    assert [message.type for message in run.state["messages"]] == ["human", "ai", "tool", "ai"]
    assert steps_of(run.state["messages"][1]) == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert run.answer == "21 dollars"
    made.model.assert_exhausted()


def test_the_report_is_in_the_message_and_in_the_agents_state(ask_few, agent):
    run = ask_few(agent(disbelieved("20 dollars"), sure("21 dollars")))
    report = run.state["adaptive_reasoning"]
    assert run.message.response_metadata["adaptive_reasoning"] == report
    assert [one["verdict"] for one in report["rounds"]] == ["escalate", "accept"]
    assert report["usage"]["total_tokens"] == run.message.usage_metadata["total_tokens"]
    assert json.loads(json.dumps(report)) == report
    assert "adaptive_claims" not in run.state


def test_a_call_that_stays_in_doubt_is_not_run_and_said_so(ask_few, agent, priced):
    run = ask_few(agent(call("pencil", 0.3), call("pan", 0.3)))
    assert priced == []
    assert run.answer == "I was not sure enough to call price, so nothing was run."


def test_an_agents_loop_goes_on_where_the_gate_sent_it(agent):
    state = agent(call("pencil", 0.3), call("pen"), call("pan"), sure("Done.")).invoke(
        {"messages": "Prices?"}
    )
    answers = [message for message in state["messages"] if message.type == "ai"]
    assert [steps_of(each)[-1][0] for each in answers] == ["deep_think"] * 3


@pytest.mark.parametrize(("reply", "expected"), [("approve", ["pan"]), ("reject", [])])
def test_a_person_decides_on_a_doubted_call_and_no_model_is_asked_twice(
    ask_few, agent, priced, reply, expected
):
    more = [sure("7 dollars")] if reply == "approve" else []
    made = agent(call("pencil", 0.3), call("pan", 0.3), *more, config=ASKING, checkpointer=InMemorySaver())
    waiting = ask_few(made, config=THREAD)
    assert waiting.interrupts[0].value["tool_calls"] == [{"name": "price", "args": {"item": "pan"}}]
    assert priced == []
    run = ask_few(made, Command(resume=reply), config=THREAD)
    assert priced == expected
    assert run.answer == (
        "7 dollars" if reply == "approve" else "A person reviewed the answer and withheld it."
    )
    made.model.assert_exhausted()


def test_a_person_is_asked_about_an_answer_too(agent):
    made = agent(disbelieved("20"), disbelieved("22"), config=ASKING, checkpointer=InMemorySaver())
    assert made.invoke({"messages": "How much?"}, THREAD)["__interrupt__"][0].value["answer"] == "22"
    state = made.invoke(Command(resume={"action": "edit", "answer": "21"}), THREAD)
    assert state["messages"][-1].text == "21"
    assert state["adaptive_reasoning"]["review"] == {"action": "edit", "answer": "21"}


@pytest.mark.parametrize("probability", [0.99, 0.3])
@pytest.mark.parametrize("response_format", [Total, ToolStrategy(Total)], ids=["schema", "tool strategy"])
def test_structured_answers_pass_the_gate_too(ask_few, agent, response_format, probability):
    made = agent(total(20, probability), total(21), response_format=response_format)
    run = ask_few(made)
    assert run.state["structured_response"] == Total(dollars=20 if probability == 0.99 else 21)


def test_a_structured_answer_that_stays_in_doubt_is_given_as_any_answer(agent):
    state = agent(total(20, 0.3), total(21, 0.3), response_format=Total).invoke({"messages": "How much?"})
    assert state["structured_response"] == Total(dollars=21)
    assert state["adaptive_reasoning"]["rounds"][-1]["verdict"] == "give_up"


def test_a_providers_own_structured_output_works(agent):
    made = agent(
        disbelieved('{"dollars": 20}'), sure('{"dollars": 21}'), response_format=ProviderStrategy(Total)
    )
    assert made.invoke({"messages": "How much?"})["structured_response"] == Total(dollars=21)
    assert made.model.calls[0].kwargs["response_format"]["type"] == "json_schema"


def test_only_the_accepted_answer_streams(agent):
    parts = agent(disbelieved("20 dollars"), sure("21 dollars")).stream(
        {"messages": "How much?"}, stream_mode="messages"
    )
    assert "".join(chunk.text for chunk, _ in parts) == "21 dollars"


def test_a_thread_stays_on_its_model_unless_the_gate_escalates(agent):
    deep = scripted(sure("21"), sure("22"), model_name="large")
    made = agent(sure("7"), disbelieved("20"), deep=deep, checkpointer=InMemorySaver())
    reports = [
        made.invoke({"messages": f"Question number {turn}, on its own: how much?"}, THREAD)[
            "adaptive_reasoning"
        ]
        for turn in range(3)
    ]
    assert [[one["node"] for one in report["rounds"]] for report in reports] == [
        ["fast_answer"],
        ["fast_answer", "deep_think"],
        ["deep_think"],
    ]
    assert reports[2]["triage"]["reason"].endswith(
        "the thread stays on the deep model; predicted gain 1.00 ≥ 1.00"
    )


def test_with_stay_turn_triage_decides_anew(agent):
    deep = scripted(sure("21"), model_name="large")
    made = agent(disbelieved("20"), sure("7"), deep=deep, stay="turn", checkpointer=InMemorySaver())
    made.invoke({"messages": "Question number 1, on its own: how much?"}, THREAD)
    report = made.invoke({"messages": "Question number 2, on its own: how much?"}, THREAD)[
        "adaptive_reasoning"
    ]
    assert [one["node"] for one in report["rounds"]] == ["fast_answer"]
    [switch] = report["switches"]
    assert (switch["from_model"], switch["to_model"], switch["round"]) == ("large", "small", 0)


def test_the_report_says_what_a_switch_of_models_cost(agent):
    made = agent(disbelieved("20"), deep=scripted(sure("21"), model_name="large"))
    state = made.invoke({"messages": "How much?"})
    report = state["adaptive_reasoning"]
    first, second = (one["usage"]["input_tokens"] for one in report["rounds"])
    assert report["switches"] == [
        {"round": 1, "from_model": "small", "to_model": "large", "tokens_read_anew": min(first, second)}
    ]
    assert state["messages"][-1].response_metadata["adaptive_reasoning"] == report


def test_without_a_switch_there_is_nothing_to_say(agent):
    assert "switches" not in agent(sure("21")).invoke({"messages": "How much?"})["adaptive_reasoning"]


def test_a_switch_reads_at_most_what_both_calls_have_in_common():
    def report(*rounds):
        return {"rounds": [{"node": node, "usage": {"input_tokens": read}} for node, read in rounds]}

    before = report(("fast_answer", 100), ("deep_think", 90))
    found = switches_of(
        report(("fast_answer", 150), ("refine", 200), ("deep_think", 160)), before, ("s", "l")
    )
    assert [(one["round"], one["to_model"], one["tokens_read_anew"]) for one in found] == [
        (0, "s", 90),
        (2, "l", 160),
    ]


def test_settings_of_the_run_reach_the_loop(agent):
    made = agent(sure("21"))
    report = made.invoke({"messages": "How much?"}, {"configurable": {"thinking": "on"}})[
        "adaptive_reasoning"
    ]
    assert report["route"] == "deep"


def test_the_agents_system_prompt_tools_and_bound_arguments_reach_the_model(priced):
    @tool
    def price(item: str) -> str:
        """Price of an item."""
        return item

    model = scripted(sure("21"))
    made = create_agent(
        model.bind(temperature=0.5),
        [price],
        system_prompt="Be brief.",
        middleware=[AdaptiveReasoningMiddleware()],
    )
    made.invoke({"messages": "How much?"})
    [sent] = model.calls
    assert [message.text for message in sent.messages] == ["Be brief.", "How much?"]
    assert sent.kwargs["tools"][0]["function"]["name"] == "price"
    assert sent.kwargs["temperature"] == 0.5
    assert sent.kwargs["logprobs"]


def test_a_fast_model_of_its_own_may_stand_before_the_agents():
    middleware = AdaptiveReasoningMiddleware(fast=scripted(sure("21")))
    assert (
        create_agent(scripted(), [], middleware=[middleware])
        .invoke({"messages": "How much?"})["messages"][-1]
        .text
        == "21"
    )


def test_many_threads_at_once_keep_their_answers():
    def answer(asked):
        return sure(f"{asked.messages[-1].text} it is")

    made = create_agent(scripted(*[answer] * 8), [], middleware=[AdaptiveReasoningMiddleware()])

    async def all_at_once():
        return await asyncio.gather(*(made.ainvoke({"messages": f"Question {place}"}) for place in range(8)))

    texts = [state["messages"][-1].text for state in asyncio.run(all_at_once())]
    assert texts == [f"Question {place} it is" for place in range(8)]


def test_the_shipped_model_answers_in_an_agent(shipped_weights):
    made = create_agent(EmbeddedChatModel(), [], middleware=[AdaptiveReasoningMiddleware()])
    state = made.invoke({"messages": "What is 17 + 25?"})
    assert state["messages"][-1].text == "Answer: 42"
    assert state["adaptive_reasoning"]["signal"]["kind"] == "logprobs"


def test_a_model_that_cannot_call_tools_is_named(agent, priced):
    @tool
    def price(item: str) -> str:
        """Price of an item."""
        return item

    made = create_agent(
        FakeListChatModel(responses=["x"]), [price], middleware=[AdaptiveReasoningMiddleware()]
    )
    with pytest.raises(ConfigurationError, match="FakeListChatModel cannot call tools"):
        made.invoke({"messages": "How much?"})


def test_a_review_without_a_checkpointer_is_refused(agent):
    with pytest.raises(ConfigurationError, match="checkpointer"):
        agent(sure("21"), config=ASKING).invoke({"messages": "How much?"})


def test_a_way_to_stay_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match="stay is 'always'"):
        AdaptiveReasoningMiddleware(stay="always")


def test_without_langchain_the_extra_is_named():
    code = (
        "import sys; sys.modules['langchain.agents.middleware'] = None\n"
        "import adaptive_reasoner\n"
        "try:\n    adaptive_reasoner.AdaptiveReasoningMiddleware\n"
        "except ImportError as error:\n    print(error.code, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith('missing_extra The middleware needs the extra "langchain"')


def test_a_run_that_waits_for_its_checkpoints_works_too(agent):
    made = agent(disbelieved("20"), sure("21"), checkpointer=InMemorySaver())
    given = {"messages": "How much?"}
    assert made.invoke(given, THREAD, durability="sync")["messages"][-1].text == "21"


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream messages", "astream_events v3"])
def test_an_agent_behind_an_endpoint_is_gated_by_its_own_log_probabilities(chat_openai, priced, way):
    @tool
    def price(item: str) -> str:
        """Price of an item."""
        priced.append(item)
        return "7 dollars"

    served = scripted(call("pencil", 0.3), call("pen"), sure("21 dollars"))
    made = create_agent(chat_openai(served), [price], middleware=[AdaptiveReasoningMiddleware()])
    run = _asking(way)(made)
    assert priced == ["pen"]
    assert steps_of(run.state["messages"][1]) == [("fast_answer", "escalate"), ("deep_think", "accept")]
    assert run.answer == "21 dollars"
    assert run.state["adaptive_reasoning"]["signal"]["kind"] == "logprobs"
