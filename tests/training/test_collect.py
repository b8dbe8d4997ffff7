"""Greedy replies, their doubts, and the figures of an evaluation."""

import math
from random import Random

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from adaptive_reasoner.embedded.problems import generate  # noqa: E402
from adaptive_reasoner.embedded.tokenizer import encoding, special  # noqa: E402
from adaptive_reasoner.training.embedded.batches import tree_mask  # noqa: E402
from adaptive_reasoner.training.embedded.collect import FirstAnswer, collect, uncertain_spans  # noqa: E402
from adaptive_reasoner.training.embedded.evaluate import answer_of, auroc, entropies, evaluate  # noqa: E402
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig  # noqa: E402
from adaptive_reasoner.training.embedded.sampling import Reply, greedy, mode_prompts  # noqa: E402

pytestmark = pytest.mark.train

PROBLEMS = list(generate("calibration", 12, seed=2))


@pytest.fixture(scope="module")
def model() -> Decoder:
    torch.manual_seed(3)
    decoder = Decoder(ModelConfig(d_model=32, layers=2, heads=2, ff=48, vocab_size=470))
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return decoder


def token(text: str) -> int:
    (found,) = encoding().encode_ordinary(text)
    return found


def naive_greedy(model: Decoder, prompt: list[int], count: int) -> list[int]:
    """Recompute everything for every token."""
    ids = list(prompt)
    for _ in range(count):
        tensor = torch.tensor([ids])
        positions = torch.arange(len(ids)).unsqueeze(0)
        with torch.no_grad():
            hidden = model(tensor, positions, tree_mask(torch.zeros_like(tensor)))
        choice = int(model.head(hidden[0, -1]).argmax())
        if choice == special("<eos>"):
            break
        ids.append(choice)
    return ids[len(prompt) :]


def test_batched_decoding_equals_recomputing_everything(model: Decoder):
    prompts = mode_prompts(PROBLEMS, "fast")
    replies = greedy(model, prompts, 9)
    assert [reply.ids for reply in replies] == [naive_greedy(model, prompt, 9) for prompt in prompts]


def test_entropy_is_taken_over_the_renormalised_top():
    reply = Reply([1, 2], [[1, 2], [2, 1]], [[0.25, 0.25], [0.5, 0.0]])
    assert entropies(reply) == pytest.approx([math.log(2), 0.0])


def test_spans_are_the_uncertain_tokens_with_three_alternatives_and_no_special_token():
    options = [token(" 4"), special("<eos>"), token(" 5"), token("7"), token("8"), token("9")]
    sure = [token(":"), token(" 4")]
    reply = Reply([sure[0], options[0]], [sure, options], [[0.99, 0.01], [0.5, 0.2, 0.1, 0.1, 0.05, 0.05]])
    assert uncertain_spans(reply) == [[(" 4", 0.5), (" 5", 0.1), ("7", 0.1), ("8", 0.05)]]


def test_most_requests_name_the_spans():
    first = FirstAnswer(PROBLEMS[0], "Answer: 4", [[("4", 0.5), ("5", 0.4)]])
    requests = [first.request(Random(seed)) for seed in range(500)]
    assert sum(request.startswith('Unsure: "4" (50%)') for request in requests) == pytest.approx(300, abs=40)


def test_collecting_again_gives_the_same_answers(model: Decoder, tmp_path):
    first = collect(model, 10, "seed", tmp_path / "answers.json")
    again = collect(model, 10, "seed", tmp_path / "answers.json")
    assert [(a.problem, a.answer) for a in first] == [(a.problem, a.answer) for a in again]


def test_auroc_is_the_chance_that_a_wrong_answer_has_the_higher_entropy():
    assert auroc([0.9, 0.8, 0.1], [True, False, False]) == 1.0
    assert auroc([0.1, 0.5, 0.5, 0.9], [False, True, False, True]) == pytest.approx(0.875)
    assert math.isnan(auroc([0.1], [True]))


def test_the_last_answer_counts():
    reply = Reply(encoding().encode_ordinary("Answer: 41 Answer: 42"), [], [])
    assert answer_of(reply) == 42
    assert answer_of(Reply(encoding().encode_ordinary(" plan: ?"), [], [])) is None


def test_an_evaluation_reports_levels_and_families(model: Decoder):
    figures = evaluate(model, "fast", PROBLEMS)
    assert {"all", "tokens", "auroc"} <= set(figures)
    assert {f"level {problem.level}" for problem in PROBLEMS} <= set(figures)
    assert {f"family {problem.family}" for problem in PROBLEMS} <= set(figures)
