"""What callers give: messages in every spelling, long ones, odd ones, and settings of the run."""

import pytest
from graph_ways import doubted, sure
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

SPELLINGS = {
    "text": "How much?",
    "a message": HumanMessage("How much?"),
    "messages": [HumanMessage("How much?")],
    "tuples": [("user", "How much?")],
    "dicts": [{"role": "user", "content": "How much?"}],
    "blocks": [{"role": "user", "content": [{"type": "text", "text": "How much?"}]}],
    "texts": ["How much?"],
    "a system message first": [{"role": "system", "content": "Be brief."}, ("user", "How much?")],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_messages_come_in_every_spelling(ask_few, build, spelling):
    graph = build(sure("42"))
    run = ask_few(graph, {"messages": SPELLINGS[spelling]})
    assert run.answer == "42"
    assert str(graph.model.calls[0].messages[-1].text) == "How much?"


def test_an_image_is_a_question(build):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    graph = build(sure("A cat."))
    assert graph.invoke({"messages": [HumanMessage([image])]})["messages"][-1].text == "A cat."
    assert graph.model.calls[0].messages[0].content == [image]


def test_a_history_with_tools_is_passed_on(ask_few, build):
    call = AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "9"}])
    called = [("user", "Weather?"), call, ToolMessage("Sunny", tool_call_id="9")]
    history = [*called, ("ai", "Sunny."), ("user", "And now?")]
    graph = build(doubted("Sunnier."), sure("Rain."))
    run = ask_few(graph, {"messages": history})
    assert run.answer == "Rain."
    assert [message.type for message in graph.model.calls[0].messages] == [
        "human",
        "ai",
        "tool",
        "ai",
        "human",
    ]
    assert len(graph.model.calls[1].messages) == 7


def test_a_megabyte_is_passed_on(build):
    question = "How much? " * 100_000
    graph = build(sure("42"))
    assert graph.invoke({"messages": question})["messages"][-1].text == "42"
    assert str(graph.model.calls[0].messages[0].text) == question


def test_an_input_of_another_shape_is_refused(build):
    with pytest.raises(Exception, match=r"(?i)messages|input"):
        build(sure("42")).invoke({"question": "How much?"})


def test_tags_metadata_and_callbacks_reach_the_model(ask_few, build):
    seen = []

    class Watching(BaseCallbackHandler):
        def on_chat_model_start(self, serialized, messages, *, tags=None, metadata=None, **kwargs):
            seen.append((tags, metadata, serialized["name"], kwargs["invocation_params"]["_type"]))

    config = {"callbacks": [Watching()], "tags": ["mine"], "metadata": {"customer": "Ada"}}
    ask_few(build(doubted("41"), sure("42")), config=config)
    assert len(seen) == 2
    for tags, metadata, name, kind in seen:
        assert "mine" in tags
        assert metadata["customer"] == "Ada"
        assert metadata["ls_provider"] == "scripted"
        assert (name, kind) == ("ScriptedChatModel", "scripted-chat-model")
    assert [metadata["langgraph_node"] for _, metadata, *_ in seen] == ["fast_answer", "refine"]


def test_a_graph_can_be_used_again_and_again(build):
    graph = build(sure("1"), sure("2"), sure("3"))
    reports = [graph.invoke({"messages": "How much?"})["reasoning"] for _ in range(3)]
    assert [len(report["rounds"]) for report in reports] == [1, 1, 1]
    assert reports[0] is not reports[1]


def test_the_output_holds_the_messages_and_the_report_only(build):
    assert set(build(sure("42")).invoke({"messages": "How much?"})) == {"messages", "reasoning"}


def test_the_callers_messages_are_not_changed(build):
    message = HumanMessage("How much?", id="7")
    messages = [message]
    state = build(sure("42")).invoke({"messages": messages})
    assert messages == [message]
    assert state["messages"][0].id == "7"


def test_a_short_recursion_limit_is_enough_for_the_loop(build):
    state = build(doubted("41"), doubted("43"), sure("42")).invoke(
        {"messages": "How?"}, {"recursion_limit": 9}
    )
    assert state["messages"][-1].text == "42"
