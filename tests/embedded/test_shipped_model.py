"""What the shipped weights promise, on a few fresh problems; the figures proper are in benchmarks/results."""

import json
from importlib.resources import files

import numpy as np
import pytest
from langchain_core.messages import HumanMessage

from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.dialogue import Mode, render_prompt
from adaptive_reasoner.embedded.first_token import mode_token_estimator, think_logits, threshold_for
from adaptive_reasoner.embedded.generation import GenerationConfig, generate
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.problems import generate as draw_problems
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.embedded.tokenizer import encoding

pytestmark = pytest.mark.usefixtures("shipped_weights")


def ask(problems: list[Problem], mode: Mode, config: GenerationConfig | None = None) -> list[Generation]:
    prompts = [render_prompt([("user", problem.question)]) for problem in problems]
    return generate_batch(shipped_runtime(), prompts, mode, config)


def share_right(problems: list[Problem], mode: Mode) -> float:
    answers = ask(problems, mode)
    expected = [f"Answer: {problem.answer}" for problem in problems]
    return float(np.mean([answer.text == text for answer, text in zip(answers, expected, strict=True)]))


def test_it_answers_easy_questions_at_once_and_all_questions_with_thought() -> None:
    assert share_right(list(draw_problems("test", 60, seed=1, level=1)), "fast") >= 0.9
    assert share_right(list(draw_problems("test", 60, seed=1)), "deep") >= 0.9


def test_a_thought_costs_at_least_six_times_the_fast_answer_on_easy_questions_too() -> None:
    easy = list(draw_problems("test", 40, seed=2, level=1))
    fast, deep = ([len(answer.tokens) for answer in ask(easy, mode)] for mode in ("fast", "deep"))
    assert np.mean(deep) >= 6 * np.mean(fast)


def test_a_batch_gives_greedily_what_single_streams_give() -> None:
    problems = list(draw_problems("test", 12, seed=3))
    for problem, together in zip(problems, ask(problems, "deep"), strict=True):
        alone = generate(shipped_runtime(), render_prompt([("user", problem.question)]), "deep")
        assert [token.id for token in together.tokens] == [token.id for token in alone]


@pytest.mark.parametrize("text", ["What is the capital of France?", "yes", "and then?", "東京の人口は何人"])
def test_outside_its_world_its_entropy_is_honestly_high(text: str) -> None:
    model = EmbeddedChatModel(logprobs=True, top_logprobs=20)

    def highest_entropy(question: str) -> float:
        entries = model.invoke(question).response_metadata["logprobs"]["content"]
        tops = [np.array([other["logprob"] for other in entry["top_logprobs"]]) for entry in entries]
        return max(float(-(np.exp(top) * top).sum()) for top in tops)

    assert highest_entropy(text) > 0.5 > highest_entropy("What is 3 + 4?")


def test_the_weights_belong_to_the_tokenizer_and_are_small() -> None:
    folder = files("adaptive_reasoner.embedded") / "weights"
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert about["vocab_size"] >= encoding().n_vocab == shipped_runtime().shape.vocab_size
    assert len((folder / "model.npz").read_bytes()) <= 12_000_000
    assert EmbeddedChatModel().profile
    assert EmbeddedChatModel().profile["max_output_tokens"] == about["context"]


def test_it_chooses_to_think_about_as_many_questions_as_asked() -> None:
    problems = list(draw_problems("test", 600, seed=4))
    prompts = [render_prompt([("user", problem.question)]) for problem in problems]
    probabilities = 1 / (1 + np.exp(-think_logits(shipped_runtime(), prompts)))
    for share in (25, 50, 75):
        thinks = probabilities >= threshold_for(shipped_runtime(), share)
        assert thinks.mean() == pytest.approx(share / 100, abs=0.07)  # 3.4 standard errors


def test_it_chooses_to_think_where_the_fast_answer_fails() -> None:
    model = EmbeddedChatModel(thinking="auto")
    easy, hard = ([*draw_problems("test", 20, seed=5, level=level)] for level in (1, 5))
    chosen = [
        [model.invoke(problem.question).response_metadata["auto"]["mode"] for problem in problems]
        for problems in (easy, hard)
    ]
    assert chosen[0].count("deep") <= 3
    assert chosen[1].count("deep") >= 17


def test_its_first_token_estimates_the_gain_of_thinking() -> None:
    estimator = mode_token_estimator()
    easy = estimator.estimate([HumanMessage("What is 3 + 4?")])
    hard = estimator.estimate([HumanMessage(next(draw_problems("test", 1, seed=6, level=6)).question)])
    for name in ("gain", "difficulty"):
        assert easy[name] < 0.1
        assert hard[name] > 0.6
