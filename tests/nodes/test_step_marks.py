"""A person marks a step of a thought as wrong: the loop goes on from before it, and the mark is kept."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.nodes.step_marks import steps_of
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.thinking.thoughts import thought_text
from adaptive_reasoner.traces.store.redaction import Redaction

THREAD = {"configurable": {"thread_id": "1"}}
UNSURE = ReasonerConfig(review="low_confidence", max_refinements=0)
THOUGHT = "Six sevens are 41. So it is 41."


def scripted(*replies):
    records = []

    class Recorder:
        def record(self, record):
            records.append(record)

    deep = ScriptedChatModel(list(replies))
    graph = build_reasoning_graph(
        ScriptedChatModel([Reply(text="40", probability=0.3)]),
        deep,
        config=UNSURE,
        recorder=Recorder(),
        checkpointer=InMemorySaver(),
    )
    asked = graph.invoke({"messages": [("user", "What is 6 * 7?")]}, THREAD)["__interrupt__"][0].value
    return graph, asked, deep, records


def test_the_review_shows_the_steps_and_offers_to_mark_one():
    _, asked, _, _ = scripted(Reply(text="41", probability=0.3, reasoning=THOUGHT))
    assert [one["text"] for one in asked["thought_steps"]] == ["Six sevens are 41.", "So it is 41."]
    assert "mark_step" in asked["actions"]


def test_thinking_goes_on_before_the_marked_step_and_the_mark_is_recorded():
    graph, _, deep, records = scripted(
        Reply(text="41", probability=0.3, reasoning=THOUGHT), Reply(text="42", reasoning="Six sevens are 42.")
    )
    state = graph.invoke(Command(resume={"action": "mark_step", "step": 2, "note": "recount"}), THREAD)
    assert state["messages"][-1].text == "42"
    assert [one["node"] for one in state["reasoning"]["rounds"]] == [
        "fast_answer",
        "deep_think",
        "deep_think",
    ]
    mark = {"round": 1, "step": 2, "text": "So it is 41.", "kept": "Six sevens are 41.", "note": "recount"}
    assert records[0]["report"]["step_marks"] == [mark]
    sent = "\n".join(str(one.content) for one in deep.calls[-1].messages)
    assert all(part in sent for part in ("Six sevens are 41.", "So it is 41.", "recount"))


@pytest.mark.parametrize("step", [0, 3, "1", True, None])
def test_a_step_that_is_not_there_is_asked_for_again(step):
    graph, _, deep, _ = scripted(Reply(text="41", probability=0.3, reasoning=THOUGHT))
    state = graph.invoke(Command(resume={"action": "mark_step", "step": step}), THREAD)
    assert "it must be a number from 1 to 2" in state["__interrupt__"][0].value["problem"]
    assert len(deep.calls) == 1


def test_without_a_visible_thought_there_is_nothing_to_mark():
    graph, asked, _, _ = scripted(Reply(text="41", probability=0.3))
    assert "mark_step" not in asked["actions"]
    state = graph.invoke(Command(resume={"action": "mark_step", "step": 1}), THREAD)
    assert "no visible thoughts" in state["__interrupt__"][0].value["problem"]


def test_the_embedded_model_goes_on_from_the_middle_of_its_thought():
    model, question = EmbeddedChatModel(logprobs=True, top_logprobs=20), "What is 3 * 7 + 5?"
    first = model.invoke(question, thinking="on")
    steps = steps_of(first)
    assert all(one["entropy_nats"] is not None for one in steps)
    kept = thought_text(first)[: steps[2]["start"]].rstrip()
    again = model.invoke(question, thinking="on", thought_prefix=kept, temperature=1.0, seed=1)
    assert thought_text(again).startswith(kept)
    assert len(thought_text(again)) > len(kept)


def test_marks_are_not_stored_where_thoughts_are_not():
    report = {
        "rounds": [],
        "signal": {"spans": []},
        "triage": {"reason": ""},
        "step_marks": [{"text": "secret"}],
    }
    record = {
        "question": "",
        "answer": "",
        "answers": [],
        "thread_id": None,
        "tenant": None,
        "report": report,
    }
    assert "step_marks" not in Redaction(thoughts="drop").run(record)["report"]
