"""repair_messages: a doubted call and the answers to it, as a provider takes them."""

from langchain_core.messages import AIMessage

from adaptive_reasoner.nodes.repair import repair_messages, said

CALL = {"name": "pay", "args": {"amount": 71}, "id": "toolu_1", "type": "tool_call"}


def test_the_call_goes_back_as_its_provider_gave_it_signed_thoughts_included():
    blocks = [
        {"type": "thinking", "thinking": "71, I think.", "signature": "c2lnbmVk"},
        {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {"amount": 71}},
    ]
    sent_back, answer = repair_messages(AIMessage(blocks, tool_calls=[CALL]), [])
    assert sent_back.content == blocks
    assert (answer.tool_call_id, answer.name, answer.status) == ("toolu_1", "pay", "error")


def test_calls_without_ids_get_some_so_that_they_can_be_answered():
    calls = [{**CALL, "id": None}, {**CALL, "id": "b"}]
    sent_back, *answers = repair_messages(AIMessage("", tool_calls=calls), [])
    assert [call["id"] for call in sent_back.tool_calls] == ["call_1", "b"]
    assert [answer.tool_call_id for answer in answers] == ["call_1", "b"]


def test_without_log_probabilities_the_whole_call_is_to_be_checked():
    span = {"text": "71", "start": 11, "end": 13, "entropy_nats": 0.7, "alternatives": [["71", 0.6]]}
    _, answer = repair_messages(AIMessage("", tool_calls=[CALL]), [span])
    assert answer.text.startswith("Not run, because parts of this call were uncertain. Check each value")


def test_two_messages_say_the_same_only_if_their_calls_do():
    other = {**CALL, "args": {"amount": 17}, "id": "toolu_2"}
    again = {**CALL, "id": "toolu_3"}
    assert said(AIMessage("", tool_calls=[CALL])) == said(AIMessage("", tool_calls=[again]))
    assert said(AIMessage("", tool_calls=[CALL])) != said(AIMessage("", tool_calls=[other]))
    assert said(AIMessage(" 42 ")) == said(AIMessage("42"))
