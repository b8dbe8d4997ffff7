"""The loop itself, each behaviour in every way a graph can be run."""

import copy
import json

import pytest
from graph_ways import WAYS, disbelieved, doubted, sure, without_times

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import Reply


def test_accepts_a_sure_fast_answer(ask, build):
    graph = build(sure("It is 42 euros"))
    run = ask(graph)
    assert run.steps == [("fast_answer", "accept")]
    assert (run.answer, run.report["route"], run.report["accepted_round"]) == ("It is 42 euros", "fast", 0)
    assert run.report["signal"]["min_probability"] == pytest.approx(0.99)
    assert run.report["signal"]["token_count"] == 4
    assert run.report["usage"]["output_tokens"] == 4
    graph.model.assert_exhausted()


def test_refines_a_doubted_answer_and_accepts_the_better_one(ask, build):
    graph = build(doubted("41"), sure("42"))
    run = ask(graph)
    assert run.steps == [("fast_answer", "refine"), ("refine", "accept")]
    assert (run.answer, run.report["accepted_round"]) == ("42", 1)
    request = str(graph.model.calls[1].messages[-1].text)
    assert '"41" (60%) or "41~1" (40%)' in request
    assert [str(m.text) for m in graph.model.calls[1].messages[:-1]] == ["How much is it?", "41"]


def test_escalates_what_refining_does_not_settle(ask, build):
    run = ask(build(doubted("41"), doubted("43"), sure("42")))
    assert run.steps == [("fast_answer", "refine"), ("refine", "escalate"), ("deep_think", "accept")]
    assert (run.answer, run.report["accepted_round"], run.report["route"]) == ("42", 2, "fast")


def test_escalates_at_once_what_is_hardly_believed(ask, build):
    run = ask(build(disbelieved("41"), sure("42")))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "accept")]


def test_thinks_at_once_where_triage_says_so(ask, build):
    graph = build(sure("42"), config=ReasonerConfig(always_think=("how much",)))
    run = ask(graph)
    assert run.report["route"] == "deep"
    assert run.steps == [("deep_think", "accept")]
    assert "Think before you answer" in str(graph.model.calls[0].messages[0].text)


def test_gives_up_with_the_best_so_far(ask, build):
    run = ask(build(disbelieved("41"), Reply(text="42", probability=0.7), doubted("43")))
    assert run.steps == [("fast_answer", "escalate"), ("deep_think", "refine"), ("refine", "give_up")]
    assert (run.answer, run.report["accepted_round"]) == ("42", 1)
    assert run.report["signal"]["min_probability"] == pytest.approx(0.7)
    assert "nothing is left to try" in run.report["rounds"][-1]["reason"]


def test_the_same_doubt_twice_is_not_refined_again(ask, build):
    run = ask(build(doubted("41"), doubted("41"), sure("42"), config=ReasonerConfig(max_refinements=3)))
    assert run.steps == [("fast_answer", "refine"), ("refine", "escalate"), ("deep_think", "accept")]


def test_the_report_is_the_same_in_state_and_message(ask, build):
    run = ask(build(doubted("41"), sure("42")))
    assert run.message.response_metadata["adaptive_reasoning"] == run.report
    json.dumps(run.report, allow_nan=False)


def test_thoughts_stay_in_the_answers_content(ask, build):
    run = ask(build(disbelieved("41"), sure("42", reasoning="40 and 2")))
    thoughts = [block["reasoning"] for block in run.message.content_blocks if block["type"] == "reasoning"]
    assert "".join(thoughts) == "40 and 2"
    assert run.answer == "42"
    assert run.report["usage"]["reasoning_tokens"] == 3


def test_an_answer_split_inside_a_character_is_scored(ask, build):
    tokens = [("東", 0.9), (b"\xe4\xba", 0.95), (b"\xac", 1.0), (b"\xf0\x9f", 0.9), (b"\x97\xbc", 0.99)]
    run = ask(build(Reply(tokens=tokens)))
    assert run.answer == "東京🗼"
    assert run.steps == [("fast_answer", "accept")]
    assert run.report["signal"]["kind"] == "logprobs"
    assert run.report["signal"]["token_count"] == 5


SCENARIOS = {
    "worse refinement": [Reply(text="41", probability=0.7), doubted("43"), disbelieved("44")],
    "escalate": [disbelieved("41"), sure("42", reasoning="40 and 2")],
    "no log probabilities": [Reply(text="41", drop_logprobs=True), sure("42")],
    "failing twice": [ValueError("no"), RuntimeError("never")],
    "refusal": [Reply(text="", refusal="I cannot say.")],
    "empty": [Reply(text=""), sure("42")],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_way_gives_the_report_of_invoke(ask, build, scenario):
    steps = SCENARIOS[scenario]
    expected = WAYS["invoke"](build(*steps), {"messages": [("user", "How much is it?")]})
    run = ask(build(*steps))
    assert without_times(run.report) == without_times(expected.report)
    assert _content(run.message) == _content(expected.message)
    assert run.message.usage_metadata == expected.message.usage_metadata


def _content(message):
    """Event streaming numbers the blocks, which says nothing about the answer."""
    return [{key: block[key] for key in block if key != "index"} for block in message.content_blocks]


@pytest.mark.parametrize(
    ("most", "steps"),
    [
        (0, ["fast_answer", "deep_think"]),
        (1, ["fast_answer", "refine", "deep_think"]),
        (2, ["fast_answer", "refine", "refine", "deep_think"]),
        (3, ["fast_answer", "refine", "refine", "refine", "deep_think"]),
    ],
)
def test_refines_as_often_as_it_may(build, most, steps):
    answers = [*(doubted(str(40 + index)) for index in range(most + 1)), sure("42")]
    graph = build(*answers, config=ReasonerConfig(max_refinements=most))
    report = graph.invoke({"messages": "How much?"})["reasoning"]
    assert [one["node"] for one in report["rounds"]] == steps


def test_a_refined_answer_that_is_riskier_does_not_replace_the_first(build):
    first, worse = Reply(text="41", probability=0.75), Reply(text="43", probability=0.55)
    graph = build(first, worse)
    options = {"context": {"thinking": "off"}}
    state = graph.invoke({"messages": "How much?"}, **options)
    assert [one["node"] for one in state["reasoning"]["rounds"]] == ["fast_answer", "refine"]
    assert (state["messages"][-1].text, state["reasoning"]["accepted_round"]) == ("41", 0)


def test_an_accepted_answer_that_is_riskier_than_an_earlier_one_gives_way_to_it(build):
    """A gate may accept a refinement because nothing else pays; the first answer is still the better one."""
    graph = build(doubted("41"), disbelieved("43"), config=ReasonerConfig(gate=RefineOnce()))
    state = graph.invoke({"messages": "How much?"})
    assert [one["verdict"] for one in state["reasoning"]["rounds"]] == ["refine", "accept"]
    assert (state["messages"][-1].text, state["reasoning"]["accepted_round"]) == ("41", 0)


class RefineOnce:
    """A caller's own gate."""

    def decide(self, signal, situation):
        from adaptive_reasoner.config import Decision

        risk = 1 - signal["min_probability"]
        return Decision("refine" if situation.mode == "fast" else "accept", "because", risk)


@pytest.mark.parametrize("verdict", ["refine", "escalate", "review"])
def test_a_gate_that_insists_on_a_closed_way_does_not_run_on(build, verdict):
    class Stubborn:
        def decide(self, signal, situation):
            from adaptive_reasoner.config import Decision

            return Decision(verdict, "because", None)

    graph = build(*[doubted(str(n)) for n in range(20)], config=ReasonerConfig(gate=Stubborn()))
    report = graph.invoke({"messages": "How much?"})["reasoning"]
    assert report["rounds"][-1]["verdict"] == "give_up"
    assert len(report["rounds"]) <= 3


def test_a_gate_with_an_unknown_verdict_is_named(build):
    from adaptive_reasoner.errors import ConfigurationError

    class Odd:
        def decide(self, signal, situation):
            from adaptive_reasoner.config import Decision

            return Decision("perhaps", "because", None)

    with pytest.raises(ConfigurationError, match="perhaps"):
        build(sure("1"), config=ReasonerConfig(gate=Odd())).invoke({"messages": "How much?"})


def test_a_deep_model_of_its_own_gets_no_prompt_to_think(scripted):
    fast, deep = scripted(disbelieved("41"), model_name="small"), scripted(sure("42"), model_name="large")
    graph = build_reasoning_graph(fast, deep)
    state = graph.invoke({"messages": "How much?"})
    assert state["messages"][-1].text == "42"
    assert [str(m.text) for m in deep.calls[0].messages] == ["How much?"]


def test_the_deep_model_refines_its_own_answer(scripted):
    fast = scripted(disbelieved("41"), model_name="small")
    deep = scripted(doubted("42"), sure("43"), model_name="large")
    report = build_reasoning_graph(fast, deep).invoke({"messages": "How much?"})["reasoning"]
    assert [one["node"] for one in report["rounds"]] == ["fast_answer", "deep_think", "refine"]
    deep.assert_exhausted()


def test_thinking_is_asked_for_beside_a_system_message(build):
    graph = build(disbelieved("41"), sure("42"))
    graph.invoke({"messages": [("system", "Be brief."), ("user", "How much?")]})
    [system, question] = graph.model.calls[1].messages
    assert str(system.text).startswith("Be brief.\n\nThink before you answer")
    assert question.type == "human"


def test_a_system_message_in_blocks_keeps_them(build):
    blocks = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    graph = build(disbelieved("41"), sure("42"))
    graph.invoke({"messages": [{"role": "system", "content": copy.deepcopy(blocks)}, ("user", "How much?")]})
    content = graph.model.calls[1].messages[0].content
    assert content[0] == blocks[0]
    assert content[1]["text"].startswith("Think before")
