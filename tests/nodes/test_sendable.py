"""The thread as a model may see it."""

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from adaptive_reasoner.nodes.sendable import sendable


def calling(*ids):
    return AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": one} for one in ids])


def test_a_whole_thread_stays_as_it_is():
    thread = [
        SystemMessage("Be brief."),
        HumanMessage("Search!"),
        calling("1", "2"),
        ToolMessage("a", tool_call_id="1"),
        ToolMessage("b", tool_call_id="2"),
        AIMessage(""),
        HumanMessage([{"type": "image_url", "image_url": {"url": "x"}}]),
    ]
    assert sendable(thread) == thread


def test_blank_questions_are_left_out():
    assert sendable([HumanMessage(" \n"), HumanMessage("How much?")]) == [HumanMessage("How much?")]


def test_calls_that_were_never_answered_are_left_out_with_their_half_of_the_results():
    question = HumanMessage("Search!")
    assert sendable([question, calling("1"), HumanMessage("And?")]) == [question, HumanMessage("And?")]
    assert sendable([question, calling("1", "2"), ToolMessage("a", tool_call_id="1")]) == [question]
