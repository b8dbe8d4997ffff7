from functools import reduce
from operator import add

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from adaptive_reasoner import EmbeddedChatModel, build_reasoning_graph, score_message
from adaptive_reasoner.embedded.known_world import why_outside
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.testing import serve_openai


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What is 1200 + 5?", "holds 1200"),
        ("What is 3.5 + 2?", "holds 3.5"),
        ("Tom has 1,500 pens. He buys 2. How many?", "holds 1500"),
        ("What is 150+180?", "150 + 180"),
        ("What is 5 - 9?", "5 - 9"),
        ("What is 7 / 2?", "7 / 2"),
        ("What is 8 / 0?", "8 / 0"),
        ("What is 2^8?", "2 ^ 8"),
        ("What is (40 * 40) - 1500 + 2?", "holds 1500"),
        ("What is (40 * 40) - 199?", "40 * 40"),
    ],
)
def test_a_question_beyond_the_learned_numbers_is_named(question: str, named: str) -> None:
    why = why_outside([HumanMessage(question)])
    assert why is not None
    assert named in why


@pytest.mark.parametrize(
    "question", ["What is 17 * 6 - 4?", "hello", "", "5 (3) 8 + 1", "It opens at 10:30.", "-"]
)
def test_nothing_speaks_against_other_questions(question: str) -> None:
    assert why_outside([HumanMessage(question)]) is None


def test_what_a_tool_computes_may_be_large() -> None:
    assert why_outside([HumanMessage("What is 150 + 180?")], only_numbers=True) is None


def test_the_question_counts_not_the_request_to_check_it_nor_what_was_asked_before() -> None:
    checked = [HumanMessage("What is 1200 + 5?"), AIMessage("115"), HumanMessage("Check and answer again.")]
    assert why_outside(checked) is not None
    assert why_outside([*checked, AIMessage("115"), HumanMessage("What is 3 + 4?")]) is None


def test_all_its_own_problems_lie_inside() -> None:
    assert all(why_outside([HumanMessage(one.question)]) is None for one in generate("test", 2000, seed=3))


def test_confidence_outside_is_unknown_however_sure_the_tokens_look(shipped_weights: object) -> None:
    model = EmbeddedChatModel(logprobs=True, top_logprobs=5)
    answers = [model.invoke("What is 1200 + 5?")]
    *chunks, last = model.stream("What is 1200 + 5?")
    for chunk in chunks[::-1]:
        last = chunk + last
    for answer in (*answers, last):
        signal = score_message(answer)
        assert signal["kind"] == "unknown"
        assert "whole numbers from 0 to 199" in (signal["reason"] or "")
    state = build_reasoning_graph("embedded").invoke({"messages": [("user", "What is 1200 + 5?")]})
    assert state["reasoning"]["rounds"][-1]["verdict"] == "give_up"
    assert state["reasoning"]["signal"]["risk"] is None


def test_a_client_of_its_endpoint_gets_no_log_probabilities_that_it_would_believe(
    shipped_weights: object,
) -> None:
    with serve_openai(EmbeddedChatModel()) as server:
        client = ChatOpenAI(
            model="embedded", base_url=server.base_url, api_key=SecretStr("none"), use_responses_api=False
        ).bind(logprobs=True, top_logprobs=5)
        whole = client.invoke("What is 7 / 2?")
        *chunks, last = client.stream("What is 7 / 2?")
        known = client.invoke("What is 8 / 2?")
    assert score_message(whole)["kind"] == "unknown"
    assert score_message(reduce(add, [*chunks, last]))["kind"] == "unknown"
    assert score_message(known)["kind"] == "logprobs"
