import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk
from logprob_answers import FORTY_TWO, answer, byte_entry, completion, entry

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty import TokenLogprob, parse_response


def spelled(raw: object) -> list[str]:
    parsed = parse_response(raw)
    assert parsed.trusted, parsed.reason
    return [token.token for token in parsed.tokens]


def why(raw: object) -> str:
    parsed = parse_response(raw)
    assert not parsed.trusted
    assert parsed.reason
    return parsed.reason


def chunk(content: str | None, entries: list[object] | None, **choice: object) -> dict[str, object]:
    logprobs = None if entries is None else {"content": entries}
    return {"choices": [{"index": 0, "delta": {"content": content}, "logprobs": logprobs, **choice}]}


STREAM = [
    {"choices": [], "prompt_filter_results": []},
    chunk("", []),
    *(chunk(item["token"], [item]) for item in FORTY_TWO),
    chunk(None, None, finish_reason="stop"),
    {"choices": [], "usage": {"completion_tokens": 5}},
]


def test_a_chat_completion_gives_its_tokens():
    parsed = parse_response(completion("Answer: 42", FORTY_TWO))

    assert parsed.trusted
    assert parsed.text == "Answer: 42"
    assert [token.token for token in parsed.tokens] == ["Answer", ":", " 4", "2"]
    assert parsed.tokens[2].logprob == pytest.approx(math.log(0.6))
    assert [text for text, _ in parsed.tokens[2].top] == [" 4", " 5", " 7"]


def test_json_text_is_parsed_too():
    assert spelled(json.dumps(completion("Answer: 42", FORTY_TWO))) == ["Answer", ":", " 4", "2"]


def test_a_list_of_chunks_is_joined():
    assert spelled(STREAM) == ["Answer", ":", " 4", "2"]


def test_a_server_sent_event_stream_is_joined():
    events = "".join(f"data: {json.dumps(item)}\n\n" for item in STREAM) + "data: [DONE]\n\n"

    assert spelled(events) == ["Answer", ":", " 4", "2"]
    assert spelled(events.encode()) == ["Answer", ":", " 4", "2"]


def test_message_chunks_are_joined():
    pieces = [
        AIMessageChunk(item["token"], response_metadata={"logprobs": {"content": [item]}})
        for item in FORTY_TWO
    ]

    assert spelled(pieces) == ["Answer", ":", " 4", "2"]


def test_a_message_gives_its_tokens():
    assert spelled(answer("Answer: 42", FORTY_TWO)) == ["Answer", ":", " 4", "2"]


def test_a_bare_list_of_entries_is_taken_at_its_word():
    parsed = parse_response(FORTY_TWO)

    assert parsed.trusted
    assert parsed.text == "Answer: 42"


def test_older_parallel_arrays_are_read():
    old = {
        "tokens": ["New", " York"],
        "token_logprobs": [-0.4, -0.1],
        "top_logprobs": [{"New": -0.4, "Old": -2.0}, {" York": -0.1}],
        "content": None,
    }

    parsed = parse_response(AIMessage("New York", response_metadata={"logprobs": old}))

    assert parsed.trusted
    assert parsed.tokens[0].top == [("New", -0.4), ("Old", -2.0)]


def test_several_choices_give_the_first():
    raw = completion("b", [entry("b", 0.5)])
    raw["choices"][0]["index"] = 1
    raw["choices"].append(completion("a", [entry("a", 0.9)])["choices"][0])

    assert spelled(raw) == ["a"]


@pytest.mark.parametrize("text", ["日本", "a🙂b"])
def test_characters_split_among_tokens_are_joined_by_their_bytes(text: str):
    pieces = [byte_entry(bytes([byte]), 0.9) for byte in text.encode()]

    parsed = parse_response(answer(text, pieces))

    assert parsed.trusted
    assert parsed.text == text
    assert len(parsed.tokens) == len(text.encode())


def test_an_answer_cut_inside_a_character_keeps_what_is_whole():
    pieces = [entry("a", 0.9), byte_entry("🙂".encode()[:2], 0.9)]

    parsed = parse_response(answer("a\ufffd", pieces))

    assert parsed.trusted
    assert parsed.text == "a"


@pytest.mark.parametrize("spelling", ["<0xE6>", "bytes:\\xe6"])
def test_byte_tokens_without_bytes_are_understood(spelling: str):
    rest = [{"token": f"<0x{byte:02X}>", "logprob": -0.1} for byte in "日".encode()[1:]]

    assert parse_response(answer("日", [{"token": spelling, "logprob": -0.1}, *rest])).trusted


def test_end_marks_after_the_text_are_dropped():
    assert spelled(answer("42", [entry("42", 0.9), entry("<|im_end|>", 1.0)])) == ["42"]


def test_thoughts_before_the_text_are_dropped():
    thoughts = [entry("hard", 0.5), entry(" question", 0.5), entry("\n\n", 0.9)]

    assert spelled(answer("Answer: 42", [*thoughts, *FORTY_TWO])) == ["Answer", ":", " 4", "2"]


def test_white_space_that_the_text_lost_is_dropped():
    parsed = parse_response(answer("42", [entry(" 42", 0.9), entry("\n", 0.9)]))

    assert parsed.trusted
    assert parsed.tokens[0].utf8 == b"42"


def test_cumulative_chunks_repeated_at_the_end_count_once():
    assert spelled(answer("Answer: 42", [*FORTY_TWO, *FORTY_TWO])) == ["Answer", ":", " 4", "2"]


def test_a_thought_in_the_content_blocks_is_no_answer():
    blocks = [{"type": "reasoning", "reasoning": "6 * 7"}, {"type": "text", "text": "Answer: 42"}]
    message = AIMessage(blocks, response_metadata={"logprobs": {"content": FORTY_TWO}})

    assert parse_response(message).text == "Answer: 42"


@pytest.mark.parametrize("logprobs", [None, {"content": None}, {"content": []}, {}])
def test_missing_log_probabilities_are_named(logprobs: object):
    assert "no log probabilities" in why(AIMessage("42", response_metadata={"logprobs": logprobs}))
    assert "no log probabilities" in why(AIMessage("42"))


def test_only_the_last_token_is_not_the_answer():
    usage = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}

    reason = why(answer("Answer: 42", FORTY_TWO[-1:], usage_metadata=usage))

    assert reason == (
        "the log probabilities of 1 token(s) (the provider counted 4) do not add up to the answer's text"
    )


def test_tokens_of_another_text_are_refused():
    assert "do not add up" in why(answer("Answer: 43", FORTY_TWO))


def test_text_that_goes_on_after_the_tokens_is_refused():
    assert "do not add up" in why(answer("Answer: 42 apples", FORTY_TWO))


def test_no_text_has_no_confidence():
    assert why(answer("", FORTY_TWO)) == "the answer has no text"
    assert why(completion(None, FORTY_TWO)) == "the answer has no text"


def test_a_thought_that_never_ends_is_no_answer():
    assert "thoughts" in why(answer("<think>hm", [entry("<think>", 1.0), entry("hm", 0.9)]))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"token": "42", "logprob": -9999.0}, "placeholder"),
        ({"token": "42", "logprob": None}, "no log probability"),
        ({"token": "42", "logprob": math.nan}, "no log probability"),
        ({"token": "42", "logprob": 0.7}, "logit or a probability"),
        ({"token": "42", "logprob": -0.1, "top_logprobs": {"42": -0.1, "43": 2.0}}, "logit or a probability"),
        ({"token": "42", "logprob": -0.1, "top_logprobs": {"42": -0.1, "43": -0.1}}, "add up to 1.81"),
        ({"token": "42", "logprob": 0.0, "top_logprobs": {"42": 0.0, "43": -9999.0}}, "0 or 1"),
        ({"token": "42", "logprob": "high"}, "given as 'high'"),
        ({"token": "42", "logprob": 10**400}, "too large"),
        ({"token": "42", "logprob": -0.1, "bytes": [300]}, "bytes"),
        ({"token": "42", "logprob": -0.1, "top_logprobs": 3}, "top_logprobs"),
        ({"token": "42", "logprob": -0.1, "top_logprobs": [{"logprob": -0.1}]}, "entry without a token"),
        ({"logprob": -0.1}, "without a token"),
        ("42", "without a token"),
    ],
)
def test_numbers_that_are_no_log_probabilities_are_refused(broken: object, reason: str):
    assert reason in why(answer("42", [broken]))


@pytest.mark.parametrize(
    ("logprobs", "reason"),
    [
        ("high", "as a str"),
        (3, "as a int"),
        ({"content": "high"}, "unknown shape"),
        ({"tokens": ["a"], "token_logprobs": []}, "differ in length"),
        ({"tokens": [1], "token_logprobs": [-0.1]}, "no text"),
    ],
)
def test_malformed_lists_are_refused(logprobs: object, reason: str):
    assert reason in why(AIMessage("42", response_metadata={"logprobs": logprobs}))


def test_the_chosen_token_joins_a_list_that_lacks_it():
    lacking = {
        "token": "c",
        "logprob": math.log(0.1),
        "top_logprobs": {"b": math.log(0.3), "a": math.log(0.5)},
    }

    token = parse_response(answer("c", [lacking])).tokens[0]

    assert [text for text, _ in token.top] == ["a", "b", "c"]


def test_placeholders_among_the_alternatives_are_dropped():
    padded = {"token": "c", "logprob": -0.1, "top_logprobs": {"c": -0.1, "a": -9999.0}}

    assert parse_response(answer("c", [padded])).tokens[0].top == [("c", -0.1)]


@pytest.mark.parametrize(
    "raw", [3, None, {}, {"error": "no"}, "", "hello", "{", "data: {", ["a"], [3], object()]
)
def test_what_is_no_response_is_a_logprobs_error(raw: object):
    with pytest.raises(LogprobsError):
        parse_response(raw)


@given(st.text(min_size=1, max_size=30).filter(str.strip), st.data())
def test_any_split_of_the_bytes_adds_up_to_the_text(text: str, data: st.DataObject):
    if "<think>" in text:
        return
    whole = text.encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)) | {0, len(whole)})
    pieces = [whole[low:high] for low, high in pairwise(cuts)]

    parsed = parse_response(answer(text, [byte_entry(piece, 0.9) for piece in pieces]))

    assert parsed.trusted
    assert b"".join(token.utf8 or b"" for token in parsed.tokens) == whole


def test_tokens_can_be_built_by_hand():
    assert TokenLogprob("a", -0.1).top == []
