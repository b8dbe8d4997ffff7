"""P(true): what a verifier is asked, and what is read from its one word."""

import math

import pytest
from inquiries import QUESTION, inquire
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from logprob_answers import answer, entry

from adaptive_reasoner.testing import ScriptedChatModel
from adaptive_reasoner.uncertainty.verifier import Verifier, with_question


def word(token: str, p: float, others: dict[str, float] | None = None) -> AIMessage:
    return answer(token, [entry(token, p, others)])


def test_p_true_is_yes_among_yes_and_no() -> None:
    signal = inquire(Verifier(), "It is 42.", [word("Yes", 0.6, {"No": 0.2, "Maybe": 0.1})]).signal
    assert (signal["kind"], signal["reason"]) == ("verifier", "a verifier gives P(true) 0.75")
    assert signal["risk"] == pytest.approx(0.25)
    assert signal["min_probability"] == pytest.approx(0.75)
    assert signal["covered_mass"] == pytest.approx(0.8)
    expected = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert signal["entropy_nats"] == {"lower": pytest.approx(expected), "upper": pytest.approx(expected)}


def test_spellings_of_a_word_are_added_up() -> None:
    reply = word("No", 0.5, {"no": 0.2, "**No": 0.1, "Yes": 0.1, " YES": 0.1})
    assert inquire(Verifier(), "42", [reply]).signal["risk"] == pytest.approx(0.8)


def test_words_that_only_begin_alike_do_not_count() -> None:
    reply = word("Yes", 0.6, {"Not": 0.3, "None": 0.1})
    assert inquire(Verifier(), "42", [reply]).signal["risk"] == pytest.approx(0.0)


def test_dress_before_the_word_is_passed_over() -> None:
    reply = answer('"Yes."', [entry('"', 1.0), entry("Yes", 0.9, {"No": 0.1}), entry('."', 1.0)])
    assert inquire(Verifier(), "42", [reply]).signal["risk"] == pytest.approx(0.1)


def test_the_verifier_sees_the_conversation_and_the_answer_without_its_thoughts() -> None:
    thought = AIMessage(
        [{"type": "reasoning", "reasoning": "six sevens"}, {"type": "text", "text": "It is 42."}]
    )
    model = ScriptedChatModel([])
    (ask,) = inquire(Verifier(model), thought, [word("Yes", 1.0)]).asks
    assert ask.model is model
    assert (ask.temperature, ask.max_output_tokens) == (None, 16)
    assert ask.messages is not None
    (sent,) = ask.messages
    assert str(sent.text).startswith("What is 6 times 7?\n\n")
    assert "\nIt is 42.\n" in str(sent.text)
    assert "six sevens" not in str(sent.text)


def test_braces_in_an_answer_are_left_alone() -> None:
    assert inquire(Verifier(), '{"sol": "{answer}"}', [word("Yes", 1.0)]).signal["kind"] == "verifier"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "could not be asked"),
        (AIMessage("Yes"), "no usable log probabilities"),
        (word("Perhaps", 0.9, {"Yes": 0.05}), "neither Yes nor No: 'Perhaps'"),
        (answer("?!", [entry("?!", 1.0)]), "neither Yes nor No"),
    ],
)
def test_what_is_no_verdict_is_unknown(reply: AIMessage | None, reason: str) -> None:
    signal = inquire(Verifier(), "42", [reply]).signal
    assert signal["kind"] == "unknown"
    assert reason in (signal["reason"] or "")


def test_calls_of_tools_and_empty_answers_are_not_verified() -> None:
    call = AIMessage("", tool_calls=[{"name": "pay", "args": {}, "id": "1"}])
    assert inquire(Verifier(), call).asks == []
    assert inquire(Verifier(), "  ").asks == []


def test_pictures_stay_in_the_turn() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    (sent,) = with_question([HumanMessage([picture])], "Is it?")
    assert sent.content == [picture, {"type": "text", "text": "Is it?"}]


def test_a_turn_is_added_where_the_last_is_not_the_users() -> None:
    result = ToolMessage("7", tool_call_id="1")
    messages = with_question([SystemMessage("Be brief."), *QUESTION, result], "Is it?")
    assert messages[-1] == HumanMessage("Is it?")
    assert messages[:-1] == (SystemMessage("Be brief."), *QUESTION, result)
