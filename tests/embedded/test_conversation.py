import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from adaptive_reasoner.embedded.conversation import read_prompt
from adaptive_reasoner.embedded.dialogue import refine_request
from adaptive_reasoner.embedded.tokenizer import encoding
from adaptive_reasoner.errors import ContextWindowExceededError, InvalidInputError

Q = HumanMessage("What is 3 + 4?")
A = AIMessage("Answer: 7")
REQUEST = refine_request([[("7", 0.55), ("8", 0.3)]])


def render(*messages: BaseMessage) -> str:
    return encoding().decode(read_prompt(messages, 512)[0])


def test_a_question_is_rendered_up_to_the_assistant() -> None:
    assert render(Q) == "<bos><user> What is 3 + 4?<assistant>"


def test_one_exchange_before_the_question_is_kept_and_older_ones_are_not() -> None:
    turns = [HumanMessage("What is 1 + 1?"), AIMessage("Answer: 2"), Q, A, HumanMessage("And 5 + 5?")]
    assert render(*turns) == (
        "<bos><user> What is 3 + 4?<assistant><fast>Answer: 7<eos><user> And 5 + 5?<assistant>"
    )


def test_system_and_tool_messages_and_tool_calls_are_left_out() -> None:
    call = AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "1"}])
    assert render(SystemMessage("Be nice."), Q, call, ToolMessage("7", tool_call_id="1")) == render(Q)


def test_text_blocks_are_joined_and_thoughts_of_earlier_answers_dropped() -> None:
    thought = {"type": "reasoning", "reasoning": " work: 3 + 4 = 7"}
    answer = AIMessage([thought, {"type": "text", "text": "Answer: 7"}])
    question = HumanMessage([{"type": "text", "text": "What is "}, {"type": "text", "text": "3 + 4?"}])
    assert render(question, answer, Q) == render(Q, A, Q)


def test_of_an_answer_with_its_rationale_only_the_answer_is_read_again() -> None:
    assert render(Q, AIMessage("Answer: 7\nBecause: 3 + 4 = 7"), Q) == render(Q, A, Q)


def test_a_refine_request_is_recognised_and_freed_from_what_larger_models_are_told() -> None:
    prompt, is_refine = read_prompt([Q, A, HumanMessage(f"Some preface.\n{REQUEST}")], 512)
    assert is_refine
    assert encoding().decode(prompt) == (
        "<bos><user> What is 3 + 4?<assistant><fast>Answer: 7<eos>"
        '<user> Unsure: "7" (55%) or "8" (30%). Check and answer again.<assistant>'
    )


def test_a_second_refine_request_keeps_the_question_and_the_newest_answer() -> None:
    again = AIMessage("Answer: 8")
    assert render(Q, A, HumanMessage(REQUEST), again, HumanMessage(refine_request([]))) == (
        "<bos><user> What is 3 + 4?<assistant><fast>Answer: 8<eos><user> Check and answer again.<assistant>"
    )


def test_a_refine_request_without_an_answer_is_a_question() -> None:
    assert not read_prompt([HumanMessage(REQUEST)], 512)[1]


@pytest.mark.parametrize("messages", [[], [SystemMessage("x")], [HumanMessage("")], [HumanMessage("   ")]])
def test_nothing_to_read_is_an_empty_question(messages: list[BaseMessage]) -> None:
    assert render(*messages) == "<bos><user> <assistant>"


def test_neighbouring_questions_are_read_as_one() -> None:
    assert render(HumanMessage("Ann has 3 pens."), HumanMessage("How many?")) == (
        "<bos><user> Ann has 3 pens. How many?<assistant>"
    )


def test_an_earlier_exchange_that_does_not_fit_is_forgotten() -> None:
    assert render(HumanMessage("long " * 2000), A, Q) == render(Q)


@pytest.mark.parametrize("size", [600, 1_000_000])
def test_a_question_beyond_the_context_says_so(size: int) -> None:
    with pytest.raises(ContextWindowExceededError, match=r"longer than the 495 tokens.*Shorten it") as caught:
        read_prompt([HumanMessage("1 " * size)], 512)
    assert caught.value.code == "context_window_exceeded"


def test_images_are_refused_by_name() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    with pytest.raises(InvalidInputError, match=r"reads text only.*image_url"):
        read_prompt([HumanMessage([{"type": "text", "text": "What is this?"}, image])], 512)
