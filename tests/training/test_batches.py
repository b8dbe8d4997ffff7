"""Tree-packed batches give each branch what it would see alone."""

from random import Random

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from adaptive_reasoner.embedded.branches import Branch  # noqa: E402
from adaptive_reasoner.training.embedded.batches import (  # noqa: E402
    FAST_WEIGHT,
    BatchStream,
    collate,
    split_by_length,
    tree_mask,
)
from adaptive_reasoner.training.embedded.examples import (  # noqa: E402
    Example,
    MixtureConfig,
    draw_example,
    draw_training_problem,
)
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=2, heads=2, ff=48, vocab_size=470)


def lively_model() -> Decoder:
    """A tiny model whose branches of the residual stream are not zero."""
    torch.manual_seed(0)
    model = Decoder(TINY)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def test_a_token_sees_the_prompt_and_its_own_branch_only():
    mask = tree_mask(torch.tensor([[0, 0, 1, 1, 2, -1]]))[0, 0].int().tolist()
    assert mask[:5] == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
    ]


def test_targets_are_the_weighted_tokens_after_their_predecessors():
    example = Example(
        [5, 6], [Branch("fast", [7, 8, 9], [0.0, 1.0, 0.0]), Branch("deep", [3, 4], [0.0, 1.0])]
    )
    batch = collate([example, Example([1], [])])
    assert batch.ids.tolist() == [[5, 6, 7, 8, 9, 3, 4], [1, 0, 0, 0, 0, 0, 0]]
    assert batch.positions[0].tolist() == [0, 1, 2, 3, 4, 2, 3]
    assert batch.predict_at.tolist() == [2, 5]
    assert batch.targets.tolist() == [8, 4]
    assert batch.weights.tolist() == [FAST_WEIGHT, 1.0]
    assert batch.tokens == 8


def test_packing_changes_no_branch():
    rng = Random(0)
    mixture = MixtureConfig(deep=1.0, deep_lookup=1.0, answer_first=1.0, truncated=1.0, made_up_refine=1.0)
    example = draw_example(rng, mixture)
    model = lively_model()
    batch = collate([example, draw_example(rng, mixture)])
    with torch.no_grad():
        packed = model(batch.ids, batch.positions, batch.mask)[0]
    start = len(example.prompt)
    for branch in example.branches:
        alone = collate([Example(example.prompt, [branch])])
        with torch.no_grad():
            expected = model(alone.ids, alone.positions, alone.mask)[0]
        size = len(branch.ids)
        torch.testing.assert_close(packed[start : start + size], expected[-size:], atol=1e-4, rtol=1e-4)
        start += size


def test_a_stream_gives_the_same_batch_for_the_same_step():
    mixture = MixtureConfig(problems_per_batch=4, batches_per_pool=3)

    def open_stream() -> BatchStream:
        return BatchStream(lambda rng: draw_example(rng, mixture), mixture, "0:base:1")

    straight = open_stream()
    batches = [straight.batch(step) for step in range(7)]
    assert torch.equal(open_stream().batch(5).ids, batches[5].ids)
    assert not torch.equal(batches[0].ids[:1, :20], batches[3].ids[:1, :20])


def test_batches_of_a_pool_hold_every_example_once_sorted_by_length():
    examples = [Example([1] * length, []) for length in (9, 2, 7, 10, 4, 5, 3, 8)]
    batches = split_by_length(examples, 3)
    lengths = [len(example) for batch in batches for example in batch]
    assert lengths == [2, 3, 4, 5, 7, 8, 9, 10]
    assert len(batches) == 3


def test_training_draws_no_question_that_is_held_apart():
    from adaptive_reasoner.embedded.problems import split_of

    rng = Random(1)
    assert all(split_of(draw_training_problem(rng).question) == "train" for _ in range(2000))


def test_shares_decide_how_often_a_branch_is_drawn():
    rng = Random(2)
    mixture = MixtureConfig(deep=0.5, deep_lookup=0.5, answer_first=0.0, truncated=0.0, made_up_refine=0.25)
    modes = [branch.mode for _ in range(1000) for branch in draw_example(rng, mixture).branches]
    assert modes.count("fast") == 1000
    assert modes.count("answer_first") == 0
    assert modes.count("deep") == pytest.approx(570, abs=60)
    assert modes.count("refine") == pytest.approx(250, abs=55)
