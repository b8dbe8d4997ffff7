"""What a policy leaves of thoughts in each shape that providers use; signed ones are never altered."""

import pytest
from langchain_core.messages import AIMessage

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.thinking.policy import KEEP, policy_of

TEXT = {"type": "text", "text": "4"}
PLAIN = {"type": "reasoning", "reasoning": "Anna has two."}
SIGNED = {"type": "thinking", "thinking": "Anna has two.", "signature": "c2ln"}
ENCRYPTED = {"type": "redacted_thinking", "data": "Zm9v"}
CALL = {"name": "add", "args": {}, "id": "1", "type": "tool_call"}
NAMES = ("Anna",)


def content(setting, *blocks, **fields):
    return policy_of(setting).applied(AIMessage([*blocks, TEXT], **fields)).content


def test_thoughts_are_kept_as_they_came_unless_a_policy_says_otherwise():
    message = AIMessage([PLAIN, TEXT])
    assert policy_of("keep") is KEEP
    assert KEEP.applied(message) is message


@pytest.mark.parametrize(
    ("setting", "left"),
    [
        ("redact", [{**PLAIN, "reasoning": "[redacted]"}]),
        ("drop", []),
        (NAMES, [{**PLAIN, "reasoning": "[redacted] has two."}]),
        (("Bob",), [PLAIN]),
        (str.upper, [{**PLAIN, "reasoning": "ANNA HAS TWO."}]),
        (lambda _thought: "", []),
    ],
)
def test_the_words_of_a_thought_are_changed(setting, left):
    assert content(setting, PLAIN) == [*left, TEXT]


@pytest.mark.parametrize(
    ("setting", "block", "stays"),
    [
        ("redact", SIGNED, False),
        ("drop", SIGNED, False),
        (NAMES, SIGNED, False),
        (("Bob",), SIGNED, True),
        ("redact", ENCRYPTED, True),
        (NAMES, ENCRYPTED, True),
        ("drop", ENCRYPTED, False),
    ],
)
def test_signed_and_encrypted_thoughts_stay_whole_or_go(setting, block, stays):
    assert content(setting, block) == ([block, TEXT] if stays else [TEXT])


@pytest.mark.parametrize("setting", ["redact", "drop", NAMES])
@pytest.mark.parametrize("block", [SIGNED, ENCRYPTED])
def test_they_stay_while_a_call_of_tools_waits_for_its_result(setting, block):
    assert content(setting, block, tool_calls=[CALL]) == [block, TEXT]


@pytest.mark.parametrize(
    ("field", "value", "redacted"),
    [
        ("reasoning_content", "Anna has two.", "[redacted] has two."),
        ("rationale", "Anna has two.", "[redacted] has two."),
        (
            "reasoning",
            {"id": "rs", "summary": [{"type": "summary_text", "text": "Anna."}]},
            {"id": "rs", "summary": [{"type": "summary_text", "text": "[redacted]."}]},
        ),
        ("reasoning", {"id": "rs", "summary": [{"text": "Anna."}], "encrypted_content": "x"}, None),
        ("reasoning_details", [{"text": "Anna."}], [{"text": "[redacted]."}]),
    ],
)  # fmt: skip
def test_thoughts_beside_the_text_are_changed_alike(field, value, redacted):
    message = AIMessage("4", additional_kwargs={field: value, "other": 1})
    assert policy_of(NAMES).applied(message).additional_kwargs == {
        **({field: redacted} if redacted else {}),
        "other": 1,
    }
    assert policy_of("drop").applied(message).additional_kwargs == {"other": 1}


@pytest.mark.parametrize("setting", ["hide", ("(",), 3, (1,)])
def test_a_policy_that_does_not_exist_is_refused(setting):
    with pytest.raises(ConfigurationError, match="thoughts"):
        ReasonerConfig(thoughts=setting)
