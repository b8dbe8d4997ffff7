"""The steps of a thought that the model was unsure of are told with its round."""

from langchain_core.messages import AIMessage

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.nodes.rounds import uncertain_steps
from adaptive_reasoner.traces.store import Redaction


def entry(token, *probabilities):
    from math import log

    return {
        "token": token,
        "top_logprobs": [{"token": f"{i}", "logprob": log(p)} for i, p in enumerate(probabilities)],
    }


def test_only_the_uncertain_steps_are_told_with_their_place_and_entropy():
    entries = [entry("One.", 0.999), entry(" Two", 0.5, 0.5), entry(".", 0.999)]
    message = AIMessage(
        "2",
        additional_kwargs={"reasoning_content": "One. Two."},
        response_metadata={"reasoning_logprobs": {"content": entries}},
    )
    [step] = uncertain_steps(message)
    assert (step["step"], step["text"], step["start"], step["end"]) == (2, "Two.", 5, 9)
    assert 0.69 < step["entropy_nats"] < 0.70


def test_a_round_tells_them_where_the_model_reports_its_thought_and_a_redacted_trace_does_not():
    records = []

    class Recorder:
        def record(self, record):
            records.append(record)

    graph = build_reasoning_graph("embedded", recorder=Recorder())
    graph.invoke({"messages": "What is 17 + 25?"}, context={"thinking": "on"})
    rounds = records[0]["report"]["rounds"]
    assert [isinstance(one.get("uncertain_steps"), list) for one in rounds] == [True] * len(rounds)
    kept = Redaction(thoughts="drop").run(records[0])["report"]["rounds"]
    assert not any("uncertain_steps" in one for one in kept)
