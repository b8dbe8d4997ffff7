"""Recorded answers, as a chat model gives them."""

import math

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError
from adaptive_reasoner.recorded import RecordedChatModel, message_of, question_of
from adaptive_reasoner.uncertainty import parse_response
from adaptive_reasoner.uncertainty.message import score_message

DIRECT = {
    "id": "q/1",
    "question": "Which gas do plants take up?",
    "choices": ["oxygen", "carbon dioxide", "helium"],
    "model": "tiny",
    "mode": "fast",
    "answer": "b",
    "correct": True,
    "answer_token_top": [["b", math.log(0.8)], ["a", math.log(0.15)], ["c", math.log(0.05)]],
    "response": "{'sol': 'b'}",
}


def test_a_question_shows_its_lettered_choices():
    assert question_of(DIRECT) == ("Which gas do plants take up?\na) oxygen\nb) carbon dioxide\nc) helium")


def test_the_answer_carries_its_own_distribution_and_the_rest_is_certain():
    parsed = parse_response(message_of(DIRECT))

    assert "".join(token.token for token in parsed.tokens) == parsed.text == "{'sol': 'b'}"
    assert [token.logprob for token in parsed.tokens] == [0.0, math.log(0.8), 0.0]
    assert [name for name, _ in parsed.tokens[1].top] == ["b", "a", "c"]


def test_the_signal_is_what_was_recorded():
    signal = score_message(message_of(DIRECT))

    expected = -sum(p * math.log(p) for p in (0.8, 0.15, 0.05))
    assert signal["token_count"] == 1
    assert signal["min_probability"] == pytest.approx(0.8)
    assert signal["entropy_nats"] is not None
    assert signal["entropy_nats"]["lower"] == pytest.approx(expected, abs=1e-9)


def test_the_answer_that_was_given_counts_even_if_another_was_likelier():
    record = {**DIRECT, "answer": "a", "response": "{'sol': 'a'}"}

    assert score_message(message_of(record))["min_probability"] == pytest.approx(0.15)


@pytest.mark.parametrize(
    "response", [None, "", "so the plants breathe, and", "It is {'sol': 'c'} or not. But then"]
)
def test_a_reply_that_does_not_show_its_answer_gets_a_line_with_it(response):
    message = message_of({**DIRECT, "response": response})

    assert score_message(message)["min_probability"] == pytest.approx(0.8)
    assert message.text.endswith("b")


@pytest.mark.parametrize("missing", [{"answer": None}, {"answer_token_top": []}, {"answer_token_top": None}])
def test_without_an_answer_or_its_distribution_the_confidence_is_unknown(missing):
    assert score_message(message_of({**DIRECT, **missing}))["kind"] == "unknown"


async def test_questions_are_found_by_text_and_by_id():
    model = RecordedChatModel([DIRECT])
    by_text = [SystemMessage("Answer."), HumanMessage("Which gas do plants take up?")]

    answers = [
        model.invoke(by_text),
        model.invoke([HumanMessage(question_of(DIRECT))]),
        model.invoke([HumanMessage("anything", id="q/1")]),
        await model.ainvoke(by_text),
    ]

    assert [answer.text for answer in answers] == ["{'sol': 'b'}"] * 4
    assert answers[0].response_metadata["recorded"] == {"id": "q/1", "correct": True}
    assert answers[0].response_metadata["model_name"] == model.model_name == "tiny"
    assert isinstance(answers[0], AIMessage)


def test_the_mode_chooses_among_the_records_of_both():
    deep = {**DIRECT, "mode": "deep", "response": "Thinking … {'sol': 'b'}"}

    model = RecordedChatModel([DIRECT, deep], mode="deep")

    assert model.invoke("Which gas do plants take up?").text == deep["response"]
    with pytest.raises(ConfigurationError, match="several values of 'mode': deep, fast"):
        RecordedChatModel([DIRECT, deep])


def test_a_question_that_was_not_recorded_is_refused():
    with pytest.raises(InvalidInputError, match="No answer of tiny is recorded to 'Why"):
        RecordedChatModel([DIRECT]).invoke("Why?")


def test_no_records_are_refused():
    with pytest.raises(ConfigurationError, match="None of the 1 records has the mode 'deep'"):
        RecordedChatModel([DIRECT], mode="deep")
