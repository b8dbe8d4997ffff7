"""The model's own choice of mode, by the first token after the prompt."""

from dataclasses import replace

import numpy as np
import pytest
from embedded_weights import random_weights, tiny_shape
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING, render_prompt
from adaptive_reasoner.embedded.first_token import (
    choose_mode,
    think_logits,
    think_probability,
    threshold_for,
)
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.errors import ConfigurationError

QUESTION = "What is 3 + 4?"


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    weights = random_weights(tiny_shape(encoding().n_vocab), seed=5)
    weights.head[:, 128:256] = 0
    weights.head[:, :32] = 0
    return Runtime(weights)


def with_thresholds(runtime: Runtime, thresholds: dict[int, float]) -> EmbeddedChatModel:
    weights = replace(runtime.weights, think_thresholds=thresholds)
    return EmbeddedChatModel(runtime=Runtime(weights), max_tokens=12)


def probability(runtime: Runtime, question: str = QUESTION) -> float:
    return choose_mode(runtime, render_prompt([("user", question)])).think_probability


def test_the_probability_is_a_softmax_over_the_two_modes() -> None:
    logits = np.zeros(encoding().n_vocab, dtype=np.float32)
    logits[special("<think>")], logits[special("<fast>")] = 2.0, 2.0 - np.log(3.0)
    assert think_probability(logits) == pytest.approx(0.75)


def test_many_prompts_give_what_each_gives_alone(runtime: Runtime) -> None:
    questions = [QUESTION, "What is 12 * 3 - 5?", "Ann has 5 pens. How many has Ann?"]
    together = think_logits(runtime, [render_prompt([("user", text)]) for text in questions])
    alone = [probability(runtime, text) for text in questions]
    assert 1 / (1 + np.exp(-together)) == pytest.approx(alone, abs=1e-5)


def test_the_mode_follows_the_threshold_of_the_share_asked_for(runtime: Runtime) -> None:
    edge = probability(runtime)
    model = with_thresholds(runtime, {25: edge + 0.01, 75: edge - 0.01})
    rarely = model.invoke(QUESTION, thinking="auto", auto_share=25)
    often = model.invoke(QUESTION, thinking="auto", auto_share=75)
    assert [block["type"] for block in rarely.content_blocks] == ["text"]
    assert often.content_blocks[0]["type"] == "reasoning"
    assert rarely.response_metadata["auto"] == {
        "mode": "fast",
        "think_probability": edge,
        "threshold": edge + 0.01,
        "share": 25,
    }
    assert often.response_metadata["auto"]["mode"] == "deep"


@pytest.mark.parametrize(("threshold", "thinking"), [(1.0, "off"), (0.0, "on")])
def test_the_answer_is_that_of_the_chosen_mode(runtime: Runtime, threshold: float, thinking: str) -> None:
    model = with_thresholds(runtime, {50: threshold})
    chosen, asked = model.invoke(QUESTION, thinking="auto"), model.invoke(QUESTION, thinking=thinking)
    assert chosen.content == asked.content
    assert chosen.usage_metadata
    assert asked.usage_metadata
    # the mode token was generated rather than read
    assert chosen.usage_metadata["input_tokens"] == asked.usage_metadata["input_tokens"] - 1
    assert chosen.usage_metadata["output_tokens"] == asked.usage_metadata["output_tokens"] + 1
    assert chosen.usage_metadata["total_tokens"] == asked.usage_metadata["total_tokens"]


def test_a_stream_says_the_same_as_a_whole_message(runtime: Runtime) -> None:
    model = with_thresholds(runtime, {50: 0.0})
    chunks = list(model.stream(QUESTION, thinking="auto"))
    total: AIMessageChunk = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    whole = model.invoke(QUESTION, thinking="auto")
    assert total.text == whole.text
    assert total.response_metadata["auto"] == whole.response_metadata["auto"]


def test_other_modes_say_nothing_of_a_choice(runtime: Runtime) -> None:
    message = with_thresholds(runtime, {50: 0.5}).invoke(QUESTION)
    assert "auto" not in message.response_metadata


def test_a_request_to_refine_is_refined_whatever_the_model_would_choose(runtime: Runtime) -> None:
    thread = [HumanMessage(QUESTION), AIMessage("Answer: 7"), HumanMessage(REFINE_REQUEST_ENDING)]
    message = with_thresholds(runtime, {50: 1.0}).invoke(thread, thinking="auto", max_tokens=60)
    assert message.content_blocks[0]["type"] == "reasoning"
    assert "auto" not in message.response_metadata


def test_a_share_without_a_threshold_is_refused(runtime: Runtime) -> None:
    model = with_thresholds(runtime, {25: 0.7, 50: 0.5})
    with pytest.raises(
        ConfigurationError, match="auto_share is 60; these weights are calibrated for: 25, 50"
    ):
        model.invoke(QUESTION, thinking="auto", auto_share=60)


def test_weights_without_thresholds_take_the_likelier_mode(runtime: Runtime) -> None:
    assert threshold_for(runtime, 25) == 0.5
