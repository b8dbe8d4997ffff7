"""Thoughts from every place where providers put them, and what a report says of the switch."""

import pytest
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from provider_answers import VLLM_EVENTS

from adaptive_reasoner.thinking import (
    keep_thoughts,
    thinking_took_effect,
    thought_text,
    thoughts_of,
    unmet_wish,
    with_thoughts_apart,
    with_thoughts_beside,
)
from adaptive_reasoner.thinking.written import split_thoughts

HARMONY = "<|channel|>analysis<|message|>Two and two.<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>"


def usage(reasoning=None):
    details = {} if reasoning is None else {"output_token_details": {"reasoning": reasoning}}
    return {"input_tokens": 1, "output_tokens": 9, "total_tokens": 10, **details}


@pytest.mark.parametrize(
    ("text", "thoughts", "answer"),
    [
        ("4", "", "4"),
        ("<think>\nTwo and two.\n</think>\n\n4", "Two and two.", "4"),
        ("Two and two.\n</think>\n\n4", "Two and two.", "4"),
        ("The tag </think> ends it.", "", "The tag </think> ends it."),
        ("<reasoning>Two and two.</reasoning>4", "Two and two.", "4"),
        ("<think>Two and", "Two and", None),
        ("<think>\n\n</think>\n\n4", "", "4"),
        ("[THINK]Two and two.[/THINK]4", "Two and two.", "4"),
        ("<|channel>thought\nTwo and two.<channel|>4", "Two and two.", "4"),
        ("Here is my thought process:\nTwo and two.\nHere is my response:\n4", "Two and two.", "4"),
        ("Here's my thought process: Two and two. Here's my response: 4", "Two and two.", "4"),
        ("Here is my thought process: Two and", "Two and", None),
        (HARMONY, "Two and two.", "4"),
        ("<|channel|>analysis<|message|>Two and", "Two and", None),
        ("I <think> so.", "", "I <think> so."),
    ],
)
def test_written_thoughts_are_told_from_the_answer(text, thoughts, answer):
    assert split_thoughts(text) == (thoughts, answer)
    assert thought_text(AIMessage(text)) == thoughts


@pytest.mark.parametrize(
    "message",
    [
        AIMessage([{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "4"}]),
        AIMessage([{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": "4"}]),
        AIMessage(
            [
                {
                    "type": "thinking",
                    "thinking": [{"type": "text", "text": "H"}, {"type": "text", "text": "m."}],
                },
                {"type": "text", "text": "4"},
            ]
        ),
        AIMessage("4", additional_kwargs={"reasoning_content": "Hm."}),
        AIMessage(
            "4",
            additional_kwargs={"reasoning_content": "Hm."},
            response_metadata={"model_provider": "openai"},
        ),
        AIMessage("4", additional_kwargs={"reasoning": "Hm."}),
        AIMessage("<think>Hm.</think>4"),
    ],
)
def test_thoughts_are_standard_blocks_wherever_they_came_from(message):
    (block,) = thoughts_of(message)
    assert (block["type"], block["reasoning"]) == ("reasoning", "Hm.")


@pytest.mark.parametrize(
    "message",
    [AIMessage("<think>Hm.</think>4"), AIMessage("4", additional_kwargs={"reasoning_content": "Hm."})],
)
def test_thoughts_can_be_set_apart_from_the_text(message):
    apart = with_thoughts_apart(message)
    assert [block["type"] for block in apart.content_blocks] == ["reasoning", "text"]
    assert (str(apart.text), thought_text(apart)) == ("4", "Hm.")
    assert apart.additional_kwargs == {}
    assert with_thoughts_apart(apart) is apart


@pytest.mark.parametrize(
    ("text", "content", "thoughts"),
    [
        ("<think>Hm.</think>4", "4", {"reasoning_content": "Hm."}),
        ("<think>\n\n</think>\n\n4", "4", {}),
        ("Here is my thought process: Hm. Here is my response: 4", "4", {"reasoning_content": "Hm."}),
        ("<think>Hm.</think>", "", {"reasoning_content": "Hm."}),
        ("<think>Hm", "", {"reasoning_content": "Hm"}),  # no answer came
        ("<reasoning>Hm.</reasoning>4", "<reasoning>Hm.</reasoning>4", {}),  # perhaps as it was asked for
        ("4", "4", {}),
    ],
)
def test_what_a_model_thinks_of_its_own_accord_is_no_part_of_the_answer(text, content, thoughts):
    beside = with_thoughts_beside(AIMessage(text, id="1"))
    assert (beside.content, beside.additional_kwargs, beside.id) == (content, thoughts, "1")


def test_redacted_thoughts_are_left_out():
    assert thoughts_of(AIMessage([{"type": "redacted_thinking", "data": "x"}])) == []


@pytest.mark.parametrize(
    ("message", "asked", "took", "reason"),
    [
        (AIMessage("4", usage_metadata=usage(7)), "on", True, "no thoughts came, 7 thinking tokens"),
        (AIMessage("4", usage_metadata=usage(0)), "on", False, "it did not think"),
        (AIMessage("4", usage_metadata=usage(0)), "off", True, "no thoughts came, 0 thinking tokens"),
        (AIMessage("4", usage_metadata=usage(7)), "off", False, "it thought all the same"),
        (AIMessage("4", usage_metadata=usage(7)), {"effort": "none"}, False, "it thought all the same"),
        (AIMessage("<think>Hm.</think>4"), "off", False, "thinking tokens are not counted"),
        (AIMessage("<think>Hm.</think>4"), {"effort": "low"}, True, "thoughts came"),
        (AIMessage("4", usage_metadata=usage(8)), {"budget_tokens": 8}, True, "8 thinking tokens"),
        (AIMessage("4", usage_metadata=usage(9)), {"budget_tokens": 8}, False, "longer than the budget of 8"),
        (AIMessage("4", usage_metadata=usage()), "on", None, "not counted"),
        (AIMessage("4"), "off", None, "not counted"),
    ],
)
def test_the_switch_is_judged_by_tokens_and_thoughts(message, asked, took, reason):
    effect = thinking_took_effect(message, asked)
    assert effect.took is took
    assert reason in effect.reason


def test_a_report_speaks_of_wishes_that_did_not_come_true_only():
    thought = AIMessage("4", usage_metadata=usage(9))
    assert unmet_wish(thought, "on", "m") is None
    assert unmet_wish(AIMessage("4"), "on", "m") is None
    assert unmet_wish(thought, "off", "m") == (
        'asked for "off", but it thought all the same: no thoughts came, 9 thinking tokens'
    )
    assert unmet_wish(thought, {"budget_tokens": 8}, "m").startswith('asked for "budget_tokens 8", but')
    assert unmet_wish(thought, "written", "m").startswith("no thinking switch is known for m")


def at(provider, **fields):
    return ChatOpenAI(model="m", base_url=f"{provider.url}/v1", api_key="x", max_retries=0, **fields)


def test_chat_openai_keeps_a_servers_thoughts_whole(provider):
    kept = keep_thoughts(at(provider))
    assert (type(kept).__name__, isinstance(kept, ChatOpenAI)) == ("ChatOpenAI", True)
    assert thought_text(kept.invoke("2 + 2 = ?")) == "Two and two."
    assert thought_text(at(provider).invoke("2 + 2 = ?")) == ""  # which is why


async def test_chat_openai_keeps_a_servers_thoughts_in_a_stream(provider):
    provider.answers["/v1/chat/completions"] = VLLM_EVENTS
    kept = keep_thoughts(at(provider))
    pieces = [chunk.additional_kwargs.get("reasoning_content", "") for chunk in kept.stream("2 + 2 = ?")]
    assert [piece for piece in pieces if piece] == ["Two and", " two."]
    whole = None
    async for chunk in kept.astream("2 + 2 = ?"):
        whole = chunk if whole is None else whole + chunk
    assert (str(whole.text), thought_text(whole)) == ("4", "Two and two.")


def test_models_of_other_kinds_and_openais_own_api_stay_as_they_are():
    own = ChatOpenAI(model="gpt-5.4", api_key="x")
    assert keep_thoughts(own) is own
