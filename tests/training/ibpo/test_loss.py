"""What a step of IBPO learns from, with hand-computed numbers."""

import math

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from adaptive_reasoner.embedded.branches import Branch  # noqa: E402
from adaptive_reasoner.embedded.tokenizer import special  # noqa: E402
from adaptive_reasoner.training.embedded.batches import collate  # noqa: E402
from adaptive_reasoner.training.embedded.examples import Example  # noqa: E402
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig  # noqa: E402
from adaptive_reasoner.training.ibpo.loss import expected_gains, mode_loss, step_loss  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=2, heads=2, ff=48, vocab_size=470)
FAST = Branch("fast", [3, 7, 8], [0.0, 1.0, 1.0])
DEEP = Branch("deep", [4, 9], [0.0, 1.0])


def test_the_gain_of_thinking_is_what_the_fast_answers_probability_leaves() -> None:
    batch = collate([Example([5, 6], [DEEP, FAST]), Example([5], [FAST], gain=0.25)])
    assert batch.fast_of.tolist() == [-1, 0, 0, 1, 1]
    # -log P: of the deep token 5, of the first row's answer log 2 + log 2, of the second row's log 4
    losses = torch.tensor([5.0, math.log(2), math.log(2), math.log(4), 0.0])
    assert expected_gains(batch, losses).tolist() == pytest.approx([0.75, 0.25])


def test_the_mode_is_said_after_the_prompts_last_token() -> None:
    batch = collate([Example([5, 6], [FAST]), Example([1], [])])
    width = batch.ids.shape[1]
    assert batch.mode_at.tolist() == [1, width]


def test_the_mode_tokens_loss_is_its_weighted_surprise() -> None:
    logits = torch.zeros(2, 470)
    logits[:, special("<think>")] = math.log(469)  # P(think) is one half, P(fast) 1 / 938
    found = mode_loss(logits, torch.tensor([1.0, 0.0]), price=0.5)
    assert found.tolist() == pytest.approx([math.log(2), math.log(938)], abs=1e-4)


def test_following_the_loss_teaches_the_mode_that_pays() -> None:
    torch.manual_seed(0)
    model = Decoder(TINY)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    batch = collate([Example([5, 6], [], gain=1.0), Example([9, 10], [FAST], gain=0.0)])
    for _ in range(60):
        loss = step_loss(model, batch, price=0.5, mode_weight=1.0)
        loss.total.backward()
        optimizer.step()
        optimizer.zero_grad()
    said = model.head(model(batch.ids, batch.positions, batch.mask).flatten(0, 1)[batch.mode_at]).argmax(-1)
    assert said.tolist() == [special("<think>"), special("<fast>")]
