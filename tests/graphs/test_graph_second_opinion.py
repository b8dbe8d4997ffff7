"""Answers whose own log probabilities tell nothing: other signals are sought, counted, and named."""

import pytest
from graph_ways import WAYS, sure, without_times
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool

from adaptive_reasoner import Budget, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.uncertainty.agreement import SampleAgreement
from adaptive_reasoner.uncertainty.rationale import RationaleAgreement
from adaptive_reasoner.uncertainty.verifier import Verifier

ALL = (SampleAgreement(), Verifier(), RationaleAgreement())


def silent(text, **fields):
    return Reply(text=text, drop_logprobs=True, **fields)


def sampling(*sources, **fields):
    return ReasonerConfig(fallback_signals=sources or (SampleAgreement(),), max_refinements=0, **fields)


def test_agreeing_samples_carry_a_silent_answer(ask, build):
    graph = build(silent("It is 42"), silent("42"), silent("The result is 42."), config=sampling())
    run = ask(graph)
    assert run.steps == [("fast_answer", "accept")]
    assert run.answer == "It is 42"
    (one,) = run.report["rounds"]
    assert (one["signal"]["kind"], one["signal_calls"]) == ("agreement", 2)
    assert one["signal"]["reason"] == "3 of 3 samples agree, the answer's own included"
    assert one["signal"]["min_probability"] == pytest.approx(15 / 16)
    graph.model.assert_exhausted()


def test_every_way_of_running_tells_the_same_story():
    def report(way):
        model = ScriptedChatModel(
            [silent("42"), silent("41"), silent("42"), silent("41"), silent("40"), sure("41")]
        )
        return without_times(WAYS[way](build_reasoning_graph(model, config=sampling()), _question()).report)

    reports = [report(way) for way in WAYS]
    assert all(one == reports[0] for one in reports)
    assert [one["verdict"] for one in reports[0]["rounds"]] == ["escalate", "accept"]


def test_samples_are_not_streamed(build):
    samples = [silent(f"It is {number}") for number in (41, 40, 7, 8)]
    graph = build(silent("It is 42"), *samples, sure("It is 9"), config=sampling())
    chunks = list(graph.stream(_question(), stream_mode="messages"))
    shown = "".join(
        str(chunk.text) for chunk, metadata in chunks if metadata["langgraph_node"] == "second_opinion"
    )
    assert shown == ""
    texts = "".join(str(chunk.text) for chunk, _ in chunks)
    assert "42" in texts
    assert "41" not in texts


def test_a_split_vote_is_fed_back_with_its_alternatives(build):
    config = ReasonerConfig(fallback_signals=(SampleAgreement(max_samples=3),))
    graph = build(silent("42"), silent("41"), silent("42"), silent("42"), sure("42"), config=config)
    # 3 of 4 votes: doubt .1875, below the uncalibrated limit
    assert graph.invoke(_question())["reasoning"]["rounds"][0]["verdict"] == "accept"
    config = ReasonerConfig(fallback_signals=(SampleAgreement(max_samples=2),))
    graph = build(silent("42"), silent("41"), silent("42"), sure("42"), config=config)
    report = graph.invoke(_question())["reasoning"]
    assert [one["node"] for one in report["rounds"]] == ["fast_answer", "refine"]
    request = graph.model.calls[-1].messages[-1].text
    assert '"42" (67%) or "41" (33%)' in request


def test_calls_for_a_signal_count_in_usage_and_budget(build):
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    replies = [silent("42", usage=usage) for _ in range(3)]
    graph = build(*replies, config=sampling(budget=Budget(max_tokens=10_000)))
    report = graph.invoke(_question())["reasoning"]
    assert report["usage"]["total_tokens"] == 45
    assert (report["budget"]["used_model_calls"], report["budget"]["used_tokens"]) == (3, 45)


@pytest.mark.parametrize(
    "limit",
    [
        {"max_model_calls": 2},
        {"budget": Budget(max_model_calls=2)},
        {"budget": Budget(max_model_calls=2, per="thread")},
    ],
    ids=str,
)
def test_the_budget_is_asked_before_each_call(build, limit):
    graph = build(silent("42"), silent("41"), config=sampling(**limit))
    report = graph.invoke(_question())["reasoning"]
    assert report["rounds"][0]["signal_calls"] == 1
    assert (
        report["rounds"][0]["signal"]["risk"] is None
    )  # no profile: the doubt decided, but is no calibrated risk
    assert report["rounds"][0]["signal"]["min_probability"] == pytest.approx(0.5)
    assert report["rounds"][0]["verdict"] == "give_up"
    graph.model.assert_exhausted()


def test_a_refusal_is_named_where_nothing_could_be_found_out(build):
    graph = build(silent("42"), config=sampling(max_model_calls=1))
    signal = graph.invoke(_question())["reasoning"]["signal"]
    assert signal["kind"] == "unknown"
    assert signal["reason"] == "no further sample could be had (max_model_calls: 1 of 1 model calls are used)"


def test_a_failed_sample_ends_the_asking(build):
    graph = build(silent("42"), silent("42"), RuntimeError("gone"), sure("42"), config=sampling())
    report = graph.invoke(_question())["reasoning"]
    assert report["rounds"][0]["signal_calls"] == 2
    assert report["rounds"][0]["signal"]["min_probability"] == pytest.approx(0.875)


def test_measured_answers_are_left_alone(build):
    graph = build(sure("42"), config=sampling(*ALL))
    report = graph.invoke(_question())["reasoning"]
    assert report["signal"]["kind"] == "logprobs"
    assert "signal_calls" not in report["rounds"][0]


@pytest.mark.parametrize("reply", [RuntimeError("gone"), silent("42", finish_reason="length")])
def test_failed_and_cut_off_answers_are_not_sampled(build, reply):
    graph = build(reply, sure("42"), config=sampling())
    assert [one["verdict"] for one in graph.invoke(_question())["reasoning"]["rounds"]] == [
        "escalate",
        "accept",
    ]


def test_the_fast_model_verifies_a_deep_answer_that_gives_no_logprobs(ask_few, scripted):
    fast, deep = (
        scripted(Reply(text="Yes", probability=0.95)),
        scripted(silent("It is 42", reasoning="six sevens")),
    )
    graph = build_reasoning_graph(fast, deep, config=sampling(*ALL, always_think=("prove",)))
    run = ask_few(graph, "Please prove it.")
    assert run.steps == [("deep_think", "accept")]
    assert run.report["signal"]["kind"] == "verifier"
    assert run.report["signal"]["min_probability"] == pytest.approx(0.95, abs=0.06)
    (call,) = fast.calls
    assert "six sevens" not in call.messages[-1].text
    assert (call.kwargs["logprobs"], call.kwargs["max_tokens"]) == (True, 16)
    deep.assert_exhausted()


def test_a_verifier_of_its_own_is_asked(scripted):
    judge = scripted(Reply(tokens=[("No", 0.97)]))
    model = scripted(silent("41"), sure("42"))
    graph = build_reasoning_graph(model, config=sampling(Verifier(judge)))
    report = graph.invoke(_question())["reasoning"]
    assert [one["verdict"] for one in report["rounds"]] == ["escalate", "accept"]
    assert report["rounds"][0]["signal"]["kind"] == "verifier"
    judge.assert_exhausted()


def test_work_that_contradicts_its_answer_costs_no_call(build):
    graph = build(silent("Answer: 41\nBecause: 6 * 7 = 42"), sure("42"), config=sampling(*ALL))
    first = graph.invoke(_question())["reasoning"]["rounds"][0]
    assert first["signal"]["reason"].startswith("the rationale contradicts the answer")
    assert (first["verdict"], "signal_calls" in first) == ("escalate", False)


def test_the_report_says_whether_a_rationale_agrees(build):
    graph = build(sure("Answer: 42\nBecause: 6 * 7 = 42"))
    assert graph.invoke(_question())["reasoning"]["rationale_agreement"] == 1.0


def test_sampled_calls_of_tools_are_compared_and_never_run(build):
    @tool
    def pay(cents: int) -> str:
        """Pay."""
        paid.append(cents)
        return "paid"

    paid: list[int] = []
    call = {"name": "pay", "args": {"cents": 500}}
    other = {"name": "pay", "args": {"cents": 5}}
    graph = build(
        Reply(tool_calls=[call], drop_logprobs=True),
        *[Reply(tool_calls=[one], drop_logprobs=True) for one in (call, call)],
        sure("Done."),
        tools=[pay],
        config=sampling(),
    )
    state = graph.invoke(_question())
    assert paid == [500]
    assert state["messages"][-1].text == "Done."
    assert sum(isinstance(message, ToolMessage) for message in state["messages"]) == 1
    replies = [Reply(tool_calls=[one], drop_logprobs=True) for one in (call, other, other, other, other)]
    report = build(*replies, sure("No."), tools=[pay], config=sampling()).invoke(_question())["reasoning"]
    assert report["rounds"][0]["verdict"] == "escalate"
    assert paid == [500]


def test_samples_pass_the_cache_by():
    model = ScriptedChatModel(
        [silent("42"), silent("41"), silent("40"), silent("39"), silent("38"), sure("42")]
    )
    set_llm_cache(InMemoryCache())
    try:
        report = build_reasoning_graph(model, config=sampling()).invoke(_question())["reasoning"]
    finally:
        set_llm_cache(None)
    assert report["rounds"][0]["signal"]["reason"].startswith("1 of 5 samples agree")


def test_a_model_that_would_repeat_itself_is_warmed_and_reseeded(scripted):
    model = scripted(silent("42"), silent("42"), silent("42"), temperature=0.0, seed=7)
    build_reasoning_graph(model, config=sampling()).invoke(_question())
    assert [(call.kwargs.get("temperature"), call.kwargs.get("seed")) for call in model.calls] == [
        (None, None), (0.7, 8), (0.7, 9),
    ]  # fmt: skip


def test_samples_of_a_refined_answer_are_refined_too(build):
    config = ReasonerConfig(fallback_signals=(SampleAgreement(max_samples=2),))
    graph = build(
        silent("42"), silent("41"), silent("42"), silent("43"), silent("43"), silent("43"), config=config
    )
    report = graph.invoke(_question())["reasoning"]
    assert [one["node"] for one in report["rounds"]] == ["fast_answer", "refine"]
    prompts = [len(call.messages) for call in graph.model.calls]
    assert prompts == [1, 1, 1, 3, 3, 3]


def _question():
    return {"messages": [("user", "How much is it?")]}


@pytest.mark.parametrize("sources", [SampleAgreement(), (SampleAgreement,), ("agreement",)], ids=str)
def test_what_is_no_source_is_refused(sources):
    with pytest.raises(ConfigurationError, match="fallback_signals"):
        ReasonerConfig(fallback_signals=sources)
