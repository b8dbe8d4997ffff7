"""Guided generation with caches writes the very tokens that recomputing everything writes."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="guided generation needs the extra `local`")
pytest.importorskip("transformers", reason="guided generation needs the extra `local`")

import numpy as np  # noqa: E402
from tiny_models import (  # noqa: E402
    EOS,
    PAD,
    NaiveGuidance,
    padded_prompts,
    tiny_llama,
    whole_text_logits,
)

from adaptive_reasoner.decoding import (  # noqa: E402
    Combination,
    ThinkLogitsProcessor,
    ThinkOptions,
    VocabularyMap,
    WarmupAlpha,
    combine_logits,
)
from adaptive_reasoner.errors import ConfigurationError, LogprobsError  # noqa: E402

pytestmark = pytest.mark.train

UNGUARDED = ThinkOptions(repeat_limit=None)
GREEDY: dict[str, Any] = {"do_sample": False}
SAMPLING: dict[str, Any] = {"do_sample": True, "temperature": 0.8, "top_p": 0.95, "top_k": 0}
BEAMS: dict[str, Any] = {"do_sample": False, "num_beams": 3, "num_return_sequences": 2}
SAMPLED_BEAMS: dict[str, Any] = {"do_sample": True, "num_beams": 2, "top_k": 0}


def _models(seed: int) -> tuple[Any, Any, Any]:
    return tiny_llama(seed, hidden_size=32), tiny_llama(seed + 100), tiny_llama(seed + 200)


def _generate(target: Any, prompts: Any, processor: Any, way: dict[str, Any], new_tokens: int = 12) -> Any:
    torch.manual_seed(7)  # of the draws
    ids, mask = prompts
    return target.generate(
        ids, attention_mask=mask, max_new_tokens=new_tokens, logits_processor=[processor], **way
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "way", [GREEDY, SAMPLING, BEAMS, SAMPLED_BEAMS], ids=["greedy", "sampling", "beams", "drawn"]
)
def test_tokens_are_those_of_a_full_recompute(seed: int, way: dict[str, Any]) -> None:
    target, expert, base = _models(seed)
    prompts = padded_prompts(seed, (3, 6))
    naive = _generate(target, prompts, NaiveGuidance(expert, base, 1.0), way)
    found = _generate(target, prompts, ThinkLogitsProcessor(expert, base, 1.0, options=UNGUARDED), way)
    assert found.tolist() == naive.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_warm_up_leaves_the_first_tokens_to_the_target(seed: int) -> None:
    target, expert, base = _models(seed)
    prompts = padded_prompts(seed, (4, 6))
    naive = _generate(target, prompts, NaiveGuidance(expert, base, 1.5, 5), GREEDY)
    given = ThinkLogitsProcessor(expert, base, 1.5, warmup_tokens=5, options=UNGUARDED)
    found = _generate(target, prompts, given, GREEDY)
    assert found.tolist() == naive.tolist()
    alone = target.generate(prompts[0], attention_mask=prompts[1], max_new_tokens=5, do_sample=False)
    assert found[:, : alone.shape[1]].tolist() == alone.tolist()


def test_guidance_changes_what_is_written_and_alpha_zero_does_not() -> None:
    target, expert, base = _models(0)
    prompts = padded_prompts(0, (4, 6))
    alone = target.generate(prompts[0], attention_mask=prompts[1], max_new_tokens=12, do_sample=False)
    found = {
        alpha: _generate(
            target, prompts, ThinkLogitsProcessor(expert, base, alpha, options=UNGUARDED), GREEDY
        )
        for alpha in (0.0, 1.0)
    }
    assert found[0.0].tolist() == alone.tolist()
    assert found[1.0].tolist() != alone.tolist()


def test_one_processor_serves_one_prompt_after_another() -> None:
    target, expert, base = _models(1)
    processor = ThinkLogitsProcessor(expert, base, 1.0, 2, UNGUARDED)
    for lengths in ((3, 5), (8,), (4, 4, 4), (3, 5)):
        prompts = padded_prompts(len(lengths), lengths)
        found = _generate(target, prompts, processor, GREEDY)
        assert (
            found.tolist() == _generate(target, prompts, NaiveGuidance(expert, base, 1.0, 2), GREEDY).tolist()
        )


def _fed(model: Any) -> list[int]:
    """Grows by the tokens a row of each forward pass with a cache."""
    lengths: list[int] = []

    def count(_: Any, args: Any, given: dict[str, Any]) -> None:
        if given["use_cache"]:
            lengths.append(given["input_ids"].shape[1])

    model.register_forward_pre_hook(count, with_kwargs=True)
    return lengths


@pytest.mark.parametrize("way", [GREEDY, BEAMS], ids=["greedy", "beams"])
def test_guiders_read_the_prompt_once_and_then_one_token_a_step(way: dict[str, Any]) -> None:
    target, expert, base = _models(2)
    fed = [_fed(expert), _fed(base)]
    ids, mask = padded_prompts(2, (6, 4))
    _generate(
        target,
        (ids, mask),
        ThinkLogitsProcessor(expert, base, options=UNGUARDED),
        {**way, "min_new_tokens": 9},
        9,
    )
    assert fed == [[6] + [1] * 8] * 2


def test_rows_that_are_dropped_doubled_or_reordered_keep_their_cache() -> None:
    _, expert, base = _models(3)
    ids, _ = padded_prompts(3, (5, 3, 6))
    processor = ThinkLogitsProcessor(expert, base, options=UNGUARDED)
    fed = _fed(expert)
    for rows in ([0, 1, 2], [2, 0], [1, 1, 0], [0]):
        scores = torch.zeros(len(ids[rows]), 48)
        ids = torch.cat([ids[rows], torch.arange(5, 5 + len(rows))[:, None]], dim=1)
        expected = NaiveGuidance(expert, base, 1.0)(ids, scores)
        assert torch.allclose(processor(ids, scores), expected, atol=1e-4)
    assert fed == [7, 1, 1, 1]


def test_a_draft_that_is_taken_back_is_read_again() -> None:
    _, expert, base = _models(4)
    ids, _ = padded_prompts(4, (5,))
    processor = ThinkLogitsProcessor(expert, base, warmup_tokens=1, options=UNGUARDED)
    naive = NaiveGuidance(expert, base, 1.0, 1)
    scores = torch.zeros(1, 48)
    for tokens in ([], [7], [7, 8], [7, 8, 9], [7, 11], [7, 11, 12]):
        shown = torch.cat([ids, torch.tensor([tokens], dtype=torch.long)], dim=1)
        assert torch.allclose(processor(shown, scores), naive(shown, scores), atol=1e-4)


def test_reset_makes_the_previous_answer_a_prompt() -> None:
    _, expert, base = _models(5)
    ids, _ = padded_prompts(5, (5,))
    processor = ThinkLogitsProcessor(expert, base, warmup_tokens=1, options=UNGUARDED)
    scores = torch.zeros(1, 48)
    processor(ids, scores)
    longer = torch.cat([ids, torch.tensor([[9]])], dim=1)
    processor.reset()
    assert torch.equal(processor(longer, scores), scores)


def test_one_token_over_and_over_ends_the_answer() -> None:
    target, expert, _ = _models(6)
    with torch.no_grad():
        target.lm_head.weight.zero_()  # every token is equally likely, and argmax takes the first
    options = ThinkOptions(repeat_limit=4)
    ids, mask = padded_prompts(6, (3,))
    found = _generate(target, (ids, mask), ThinkLogitsProcessor(expert, expert, options=options), GREEDY)
    assert found[0, 3:].tolist() == [0, 0, 0, 0, EOS]
    unguarded = _generate(
        target, (ids, mask), ThinkLogitsProcessor(expert, expert, options=UNGUARDED), GREEDY
    )
    assert unguarded[0, 3:].tolist() == [0] * 12


def test_the_guard_waits_for_ten_equal_tokens_and_does_not_count_the_prompt() -> None:
    _, expert, base = _models(6)
    processor = ThinkLogitsProcessor(expert, base)
    scores = torch.zeros(1, 48)
    for generated in range(11):
        found = processor(torch.full((1, 12 + generated), 7), scores)
        assert bool(found[0, 3].isfinite()) == (generated < 10)
    assert found[0].argmax() == EOS


def _after(model: Any, row: Any) -> Any:
    return whole_text_logits(model, row[None])


def test_a_target_with_more_ids_may_write_what_the_guiders_lack() -> None:
    target, expert, base = tiny_llama(8, 56), tiny_llama(108, 48), tiny_llama(208, 52)
    ids = torch.tensor([[5, 50, 55, 9]])
    scores = torch.randn(1, 56)
    found = ThinkLogitsProcessor(expert, base, options=UNGUARDED)(ids, scores)
    read = [torch.tensor([5, 50 if size > 50 else PAD, PAD, 9]) for size in (48, 52)]
    logits = [_after(model, row) for model, row in zip((expert, base), read, strict=True)]
    assert torch.allclose(found, combine_logits(scores, *logits, 1.0).log_softmax(-1), atol=1e-4)
    assert (
        target.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=4,
            logits_processor=[ThinkLogitsProcessor(expert, base)],
        ).shape[1]
        > 4
    )


def test_guiders_of_another_family_read_and_move_mapped_ids_only() -> None:
    expert, base = tiny_llama(9, 20), tiny_llama(10, 20)
    shared = VocabularyMap(np.array([3, 4, 30]), np.array([7, 8, 9]))
    options = ThinkOptions(how=Combination(shared), unknown_id=5)
    scores = torch.randn(1, 48)
    found = ThinkLogitsProcessor(expert, base, options=options)(torch.tensor([[30, 44, 3, 12]]), scores)
    read = torch.tensor([9, 5, 7, 5])
    delta = (_after(expert, read) - _after(base, read))[0]
    expected = scores.clone()
    expected[0, [3, 4, 30]] += delta[[7, 8, 9]]
    assert torch.allclose(found, expected.log_softmax(-1), atol=1e-4)


def test_other_tokenizers_of_equal_size_are_refused() -> None:
    _, expert, base = _models(0)
    target, other = {"a": 0, "b": 1, "c": 2}, {"a": 0, "c": 1, "b": 2}
    with pytest.raises(ConfigurationError, match="expert's tokenizer"):
        ThinkLogitsProcessor(expert, base, options=ThinkOptions(tokenizers=(target, other, target)))
    with pytest.raises(ConfigurationError, match="base's tokenizer"):
        ThinkLogitsProcessor(expert, base, options=ThinkOptions(tokenizers=(target, target, other)))


@pytest.mark.parametrize("alpha", [float("nan"), float("inf"), "much"])
def test_an_alpha_that_is_no_finite_number_is_refused(alpha: Any) -> None:
    with pytest.raises(ConfigurationError, match="alpha must be a finite number"):
        ThinkLogitsProcessor(*_models(0)[1:], alpha)


def test_settings_that_contradict_each_other_are_refused() -> None:
    _, expert, base = _models(0)
    with pytest.raises(ConfigurationError, match="not both"):
        ThinkLogitsProcessor(expert, base, WarmupAlpha(1.0, 3), warmup_tokens=2)
    with pytest.raises(ConfigurationError, match="warm-up"):
        ThinkLogitsProcessor(expert, base, warmup_tokens=-1)
    with pytest.raises(ConfigurationError, match="repeat_limit"):
        ThinkOptions(repeat_limit=0)


def test_a_guider_that_overflows_says_so() -> None:
    _, expert, base = _models(0)
    with torch.no_grad():
        expert.lm_head.weight[3] = float("nan")
    with pytest.raises(LogprobsError, match="expert holds NaN"):
        ThinkLogitsProcessor(expert, base)(torch.tensor([[5, 6]]), torch.zeros(1, 48))
