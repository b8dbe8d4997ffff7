import math

import pytest
from langchain_core.messages import AIMessage

from adaptive_reasoner.uncertainty.message import score_message
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.support import with_support


def answer_of(text: str, **chances: float) -> AIMessage:
    """A choice letter whose token had these chances, in the text of an answer."""
    letter = text[-1]
    top = [
        {"token": name, "logprob": math.log(p), "bytes": list(name.encode())} for name, p in chances.items()
    ]
    entries = [{"token": text[:-1], "logprob": 0.0, "bytes": list(text[:-1].encode()), "top_logprobs": []}]
    own = next(entry for entry in top if entry["token"] == letter)
    content = [*(entries if text[:-1] else []), {**own, "top_logprobs": top}]
    return AIMessage(text, response_metadata={"logprobs": {"content": content}})


def support_of(deep: AIMessage, fast: AIMessage) -> float | None:
    return with_support(score_message(deep), deep, score_message(fast), fast).get("support")


def test_the_same_answer_is_supported_by_the_fast_ones_probability():
    fast = answer_of("b", a=0.3, b=0.6, c=0.1)

    assert support_of(answer_of("Answer: B", B=0.99, A=0.01), fast) == pytest.approx(0.6)


def test_another_answer_is_supported_by_what_the_fast_one_nearly_said():
    fast = answer_of("b", a=0.3, b=0.6, c=0.1)

    assert support_of(answer_of("Answer: A", A=0.99, B=0.01), fast) == pytest.approx(0.3)


def test_an_answer_that_the_fast_one_never_thought_of_has_no_support():
    fast = answer_of("b", a=0.3, b=0.6, c=0.1)

    assert support_of(answer_of("Answer: D", D=0.99, B=0.01), fast) == 0.0


def test_support_of_another_answer_never_exceeds_what_the_fast_one_left():
    fast = answer_of("b", a=0.3, A=0.3, b=0.4)

    assert support_of(answer_of("Answer: A", A=0.99, B=0.01), fast) == pytest.approx(0.6)


def test_where_either_answer_is_unmeasured_support_is_unknown_and_not_zero():
    fast, deep = answer_of("b", a=0.3, b=0.6, c=0.1), answer_of("Answer: A", A=0.99, B=0.01)
    unknown = unknown_signal("no log probabilities")

    assert "support" not in with_support(score_message(deep), deep, unknown, fast)
    assert with_support(unknown, deep, score_message(fast), fast) == unknown


def test_where_there_is_no_answer_to_compare_support_is_unknown():
    fast, deep = answer_of("b", a=0.3, b=0.6, c=0.1), answer_of("Answer: A", A=0.99, B=0.01)

    assert "support" not in with_support(score_message(deep), deep, score_message(fast), AIMessage(" "))
