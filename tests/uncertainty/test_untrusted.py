"""What cannot be trusted comes back as unknown, with its reason; what only looks odd does not."""

import math
from typing import Any

import pytest
from logprob_answers import FORTY_TWO, answer, byte_entry, completion, entry
from provider_shapes import (
    TEXT,
    chat,
    delta,
    deltas,
    entries,
    gemini,
    llama_cpp,
    llama_cpp_legacy,
    responses_events,
)

from adaptive_reasoner.errors import LogprobsError
from adaptive_reasoner.uncertainty import parse_response, score_tokens

FLAT = -math.log(129_000)


def why(raw: object) -> str:
    parsed = parse_response(raw)
    assert not parsed.trusted
    assert score_tokens(parsed)["kind"] == "unknown"
    return str(parsed.reason)


def shown(raw: object) -> str:
    parsed = parse_response(raw)
    assert parsed.trusted, parsed.reason
    return parsed.text


def flat(count: int, logprob: float = FLAT) -> list[dict[str, Any]]:
    own = {"token": "x", "logprob": logprob, "bytes": [120]}
    return [{**own, "top_logprobs": [own]}] * count


def test_flat_logits_are_refused():
    assert "equally probable" in why(answer("xxx", flat(3)))
    assert "equally probable" in why(completion("", flat(3)))


def test_tokens_that_are_equally_certain_are_no_flat_logits():
    assert shown(answer("xxx", flat(3, -0.01))) == "xxx"


def test_a_placeholder_is_named_even_where_the_text_was_cut():
    hidden = {**entry("42", 0.5), "logprob": -9999.0}

    assert "placeholder" in why(completion("Answer: 42", [hidden]))


@pytest.mark.parametrize("lowest", [-9999.0, -math.inf, -3.4028234663852886e38])
def test_every_placeholder_for_zero_is_known(lowest: float):
    listed = [{"token": "42", "logprob": -0.1}, {"token": "43", "logprob": lowest}]

    assert "placeholder" in why(answer("42", [{"token": "42", "logprob": lowest}]))
    kept = parse_response(answer("42", [{"token": "42", "logprob": -0.1, "top_logprobs": listed}]))
    assert kept.tokens[0].top == [("42", -0.1)]


@pytest.mark.parametrize("broken", [math.inf, 0.0, 3])
def test_infinite_and_positive_alternatives_are_refused(broken: float):
    listed = [{"token": "42", "logprob": -0.1}, {"token": "43", "logprob": broken}]

    assert why(answer("42", [{"token": "42", "logprob": -0.1, "top_logprobs": listed}]))


def test_an_own_probability_must_fit_beside_a_list_that_leaves_it_out():
    listed = [{"token": "a", "logprob": math.log(0.9)}]
    reason = why(answer("c", [{"token": "c", "logprob": math.log(0.8), "top_logprobs": listed}]))

    assert reason == "the probabilities at the token 'c' add up to 1.70"


def test_a_list_that_names_the_token_with_another_probability_does_not_hide_its_own():
    listed = [{"token": "a", "logprob": math.log(0.4)}, {"token": "c", "logprob": math.log(0.1)}]
    reason = why(answer("c", [{"token": "c", "logprob": math.log(0.8), "top_logprobs": listed}]))

    assert reason == "the probabilities at the token 'c' add up to 1.20"


def test_the_probabilities_of_an_old_server_become_logarithms():
    parsed = parse_response(llama_cpp_legacy())

    assert math.exp(parsed.tokens[2].logprob) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("probs", "reason"),
    [
        ([{"tok_str": "43", "prob": 0.5}], "no log probability"),
        ([{"tok_str": "42", "prob": 0.0}], "placeholder"),
        ([{"tok_str": "42", "prob": 1.5}], "1.5 is given as a probability"),
        ([{"tok_str": "42", "prob": -0.5}], "-0.5 is given as a probability"),
        ([{"tok_str": "42", "prob": None}], "no log probability"),
        ([{"tok_str": "42", "prob": 1.0}, {"tok_str": "43", "prob": 0.0}], "after sampling"),
        ([{"prob": 1.0}], "without a token"),
        ([], "no log probability"),
    ],
)
def test_old_probabilities_that_say_nothing_are_refused(probs: list[Any], reason: str):
    raw = {"content": "42", "completion_probabilities": [{"content": "42", "probs": probs}]}

    assert reason in why(raw)


def test_a_zero_among_old_alternatives_is_dropped():
    probs = [{"tok_str": "42", "prob": 0.9}, {"tok_str": "43", "prob": 0.0}]
    raw = {"content": "42", "completion_probabilities": [{"content": "42", "probs": probs}]}

    assert parse_response(raw).tokens[0].top == [("42", math.log(0.9))]


def test_probabilities_after_greedy_sampling_are_refused():
    listed = [{"token": "42", "prob": 1.0, "top_probs": [{"token": "42", "prob": 1.0}]}]

    assert "after sampling" in why({"content": "42", "completion_probabilities": listed})


def test_logarithms_of_certain_tokens_are_believed():
    assert shown(llama_cpp("42", [[("42", 1.0), ("43", 1e-9)]])) == "42"


def test_candidates_of_different_lengths_are_refused():
    raw = gemini()
    raw["candidates"][0]["logprobsResult"]["topCandidates"].pop()

    assert "differ in length" in why(raw)


def test_candidates_without_numbers_or_tokens_are_refused():
    for missing, reason in (("logProbability", "no log probability"), ("token", "without a token")):
        raw = gemini()
        del raw["candidates"][0]["logprobsResult"]["chosenCandidates"][1][missing]
        assert reason in why(raw)


def test_a_stream_that_lost_its_beginning_is_refused():
    assert "do not add up" in why([*deltas()[2:], chat(None)])
    assert "do not add up" in why(
        [
            *responses_events()[4:6],
            {
                "type": "response.completed",
                "response": {
                    "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT}]}]
                },
            },
        ]
    )


def test_a_stream_that_broke_off_with_an_error_is_refused():
    assert "broke off" in why([*deltas(), {"error": {"message": "overloaded"}}])


def test_events_that_repeat_the_text_do_not_change_its_numbers():
    parsed = parse_response(responses_events())

    assert [token.logprob for token in parsed.tokens] == [one["logprob"] for one in entries()]


def test_two_whole_responses_are_no_stream():
    assert "2 whole responses" in why([completion("42", [entry("42", 0.9)])] * 2)


def test_a_stream_of_one_whole_response_is_that_response():
    assert shown([chat({"content": entries()})]) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "<think>6 * 7</think>Answer: 42",
        "<think>\n6 * 7\n</think>\n\nAnswer: 42",
        "6 * 7</think>Answer: 42",
        "<reasoning>6 * 7</reasoning>Answer: 42",
        "<|channel|>analysis<|message|>6 * 7<|end|><|start|>assistant<|channel|>final<|message|>Answer: 42",
        "<|channel|>final <|constrain|>JSON<|message|>Answer: 42<|return|>",
        "Answer: 42<|im_end|>",
    ],
)
def test_shown_thoughts_and_end_marks_are_no_answer(text: str):
    position = text.index(TEXT)
    around = [[(piece, 0.99)] for piece in (text[:position], text[position + len(TEXT) :]) if piece]
    before, after = (around[:1], around[1:]) if position else ([], around)
    listed = [*entries(before), *entries(), *entries(after)]

    assert shown(answer(text, listed)) == TEXT
    assert shown(listed) == TEXT
    assert shown(answer(TEXT, listed)) == TEXT


@pytest.mark.parametrize(
    "text", ["<think>6 * 7", "<|channel|>analysis<|message|>6 * 7<|end|>", "<reasoning>hm", " <think>"]
)
def test_an_answer_that_ends_inside_its_thoughts_is_none(text: str):
    assert why(answer(text, [entry(text, 0.9)])) == "the answer ends inside its thoughts"
    assert why([entry(text, 0.9)]) == "the answer ends inside its thoughts"


def test_thoughts_without_an_answer_after_them_are_none():
    assert why(answer("<think>hm</think>", [entry("<think>hm</think>", 0.9)])) == "the answer has no text"


def test_an_angle_bracket_opens_no_thought():
    assert shown(answer("2 < 3", [entry("2 < 3", 0.9)])) == "2 < 3"


def test_empty_tokens_and_null_bytes_add_nothing():
    mark = {"token": "", "logprob": 0, "bytes": None, "top_logprobs": [{"token": "", "logprob": 0}]}

    assert [token.token for token in parse_response(answer(TEXT, [mark, *FORTY_TWO, mark])).tokens] == [
        one["token"] for one in FORTY_TWO
    ]


def test_an_integer_zero_is_a_certain_token():
    assert parse_response(answer("42", [{"token": "42", "logprob": 0}])).tokens[0].logprob == 0.0


def test_a_list_of_the_chosen_token_alone_is_no_certainty():
    signal = score_tokens(parse_response(answer("42", [entry("42", 0.5)])))

    assert signal["covered_mass"] == pytest.approx(0.5)
    assert signal["entropy_nats"] is not None
    assert signal["entropy_nats"]["lower"] == pytest.approx(math.log(2))
    assert signal["entropy_nats"]["upper"] > 6


def test_bytes_decide_where_tokens_split_characters_in_a_stream():
    pieces = [byte_entry(bytes([byte]), 0.9) for byte in "é".encode()]
    stream = [delta("", {"content": pieces[:1]}), delta("é", {"content": pieces[1:]})]

    assert shown(stream) == "é"


@pytest.mark.parametrize(
    "raw",
    [
        {"data": {"responses": ["a"], "logprobs": []}},
        {"data": {"responses": [], "logprobs": []}},
        {"data": {"rows": []}},
        {"response": {"response": {"response": {"status": "queued"}}}},
        {"event": "ping", "data": "{"},
        "data: {}\n\ndata: {}\n\n",
        [{"error": "no"}],
        [[1], [2]],
        bytearray(b"hello"),
    ],
)
def test_wrappers_of_nothing_are_no_response(raw: object):
    with pytest.raises(LogprobsError):
        parse_response(raw)


def test_a_response_under_too_many_wrappers_is_refused():
    raw: dict[str, Any] = chat({"content": entries()})
    for _ in range(2000):
        raw = {"response": raw}

    with pytest.raises(LogprobsError, match="wrappers"):
        parse_response(raw)
