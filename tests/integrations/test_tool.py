"""reasoning_tool: alone, and in an agent that calls it."""

import asyncio
import json
import threading

import pytest
from graph_ways import WAYS, disbelieved, sure
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph, reasoning_tool
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.integrations.tool import tool_of
from adaptive_reasoner.testing import Reply, ScriptedChatModel

THREAD = {"configurable": {"thread_id": "1"}}
ASKING = ReasonerConfig(review="low_confidence", max_refinements=0)
FEW_WAYS = ("invoke", "ainvoke", "stream messages", "astream_events v3")


def scripted(*steps):
    return ScriptedChatModel(steps, logprobs_in_chunks=True)


def asking(*questions):
    """An agent's model: it asks the tool once for each question, all at once, and then answers."""
    calls = [
        {"name": "reason", "args": {"question": question}, "id": question[:1] or "0"}
        for question in questions
    ]
    return scripted(Reply(tool_calls=calls), sure("Done."))


def called(tool, question="How much?"):
    call = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"question": question}}
    return tool.invoke(call)


@pytest.fixture(params=FEW_WAYS)
def ask(request):
    """A function from an agent and its input to the `Run`, in a few ways."""

    def ask(agent, given="What do they cost?", **options):
        return WAYS[request.param](agent, {"messages": given} if isinstance(given, str) else given, **options)

    return ask


def test_gives_the_answer_with_the_report_as_artifact():
    message = called(reasoning_tool(scripted(disbelieved("41"), sure("42"))))
    assert message.content == "42"
    assert [one["verdict"] for one in message.artifact["rounds"]] == ["escalate", "accept"]
    assert json.loads(json.dumps(message.artifact)) == message.artifact


def test_the_plain_call_gives_the_answer_alone_in_both_forms():
    assert reasoning_tool(scripted(sure("42"))).invoke("How much?") == "42"
    assert asyncio.run(reasoning_tool(scripted(sure("42"))).ainvoke({"question": "How much?"})) == "42"


def test_an_answer_that_was_not_accepted_says_so_to_the_agent():
    config = ReasonerConfig(max_refinements=0)
    message = called(reasoning_tool(scripted(disbelieved("41"), disbelieved("42")), config=config))
    assert message.artifact["rounds"][-1]["verdict"] == "give_up"
    answer, doubt = message.content.split("\n\n")
    assert answer == "42"
    assert doubt.startswith("(This answer is not sure: uncalibrated default")


def test_a_deep_model_of_its_own_thinks():
    deep = scripted(sure("42"))
    assert reasoning_tool(scripted(disbelieved("41")), deep).invoke("How much?") == "42"
    deep.assert_exhausted()


def test_name_and_description_are_the_callers():
    tool = reasoning_tool(scripted(), name="sums", description="Adds up.")
    assert (tool.name, tool.description) == ("sums", "Adds up.")
    assert list(tool.args) == ["question"]


def test_an_empty_question_is_refused():
    with pytest.raises(ValueError, match="The question is empty; write the whole question"):
        reasoning_tool(scripted()).invoke(" ")


def test_a_graph_of_ones_own_serves_as_well():
    records = []

    class Keeping:
        def record(self, record):
            records.append(record)

    graph = build_reasoning_graph(scripted(sure("42")), recorder=Keeping())
    assert tool_of(graph).invoke("How much?") == "42"
    assert [record["question"] for record in records] == ["How much?"]


def test_an_agent_calls_it_and_reads_the_answer(ask):
    model = asking("How much are 6 times 7?")
    run = ask(create_agent(model, [reasoning_tool(scripted(disbelieved("41"), sure("42")))]))
    result = run.state["messages"][2]
    assert (result.type, result.text) == ("tool", "42")
    assert len(result.artifact["rounds"]) == 2
    assert model.calls[1].messages[-1].text == "42"


def test_an_empty_question_of_an_agent_comes_back_as_an_error_that_it_can_mend():
    state = create_agent(asking(""), [reasoning_tool(scripted())]).invoke({"messages": "How much?"})
    assert state["messages"][2].status == "error"
    assert "The question is empty" in state["messages"][2].text


def test_settings_of_the_agents_run_hold_in_the_tool():
    agent = create_agent(asking("How much?"), [reasoning_tool(scripted(sure("42")))])
    state = agent.invoke({"messages": "How much?"}, {"configurable": {"thinking": "on"}})
    assert state["messages"][2].artifact["route"] == "deep"


def test_a_person_is_asked_through_the_agent_and_no_model_is_asked_twice(ask):
    inner, outer = scripted(disbelieved("41"), disbelieved("42")), asking("How much?")
    agent = create_agent(outer, [reasoning_tool(inner, config=ASKING)], checkpointer=InMemorySaver())
    waiting = ask(agent, config=THREAD)
    assert (waiting.interrupts[0].value["kind"], waiting.interrupts[0].value["answer"]) == ("review", "42")
    run = ask(agent, Command(resume={"action": "edit", "answer": "43"}), config=THREAD)
    assert run.state["messages"][2].text == "43"
    assert run.state["messages"][2].artifact["review"]["action"] == "edit"
    inner.assert_exhausted()
    outer.assert_exhausted()


def test_questions_at_once_are_reviewed_each_by_itself():
    steps = [lambda call: disbelieved(f"{call.messages[-1].text} 1")] * 4
    agent = create_agent(
        asking("A?", "B?"), [reasoning_tool(scripted(*steps), config=ASKING)], checkpointer=InMemorySaver()
    )
    waiting = agent.invoke({"messages": "Both?"}, THREAD)["__interrupt__"]
    replies = {
        one.id: {"action": "edit", "answer": f"{one.value['answer'][0]} is settled"} for one in waiting
    }
    state = agent.invoke(Command(resume=replies), THREAD)
    results = [message.text for message in state["messages"] if message.type == "tool"]
    assert results == ["A is settled", "B is settled"]


def test_a_review_that_nothing_keeps_is_refused():
    tool = reasoning_tool(scripted(disbelieved("41"), disbelieved("42")), config=ASKING)
    with pytest.raises(ConfigurationError, match="in an agent or a graph that has a checkpointer"):
        tool.invoke("How much?")


def test_the_shipped_model_answers(shipped_weights):
    message = called(reasoning_tool("embedded"), "What is 17 + 25?")
    assert message.content == "Answer: 42"
    assert message.artifact["signal"]["kind"] == "logprobs"


def test_calls_that_were_resumed_in_another_order_are_not_mixed_up():
    """In a bare ToolNode calls at once share their checkpoints; here they take turns, each time in another order."""
    inner = reasoning_tool(scripted(*[lambda call: disbelieved(call.messages[-1].text)] * 8), config=ASKING)
    turns = {"first": "A?", "was first": threading.Event()}

    @tool("reason")
    def reason(question: str, config: RunnableConfig) -> str:
        """Ask."""
        if question != turns["first"]:
            turns["was first"].wait(timeout=30)
        try:
            return inner.invoke({"question": question}, config)
        finally:
            turns["was first"].set()

    calls = [
        {"name": "reason", "args": {"question": each}, "id": each, "type": "tool_call"}
        for each in ("B?", "A?")
    ]
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([reason]))
    graph.add_edge(START, "tools")
    compiled = graph.compile(checkpointer=InMemorySaver())
    compiled.invoke({"messages": [AIMessage("", tool_calls=calls)]}, THREAD)
    turns.update({"first": "B?", "was first": threading.Event()})
    with pytest.raises(ConfigurationError, match="resumed in another order"):
        compiled.invoke(Command(resume="approve"), THREAD)
