from pathlib import Path

import numpy as np
import pytest
from embedded_weights import naive_logits, random_arrays, random_weights, tiny_shape

from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.weights import ModelShape, fold_weights, read_weights

SHAPE = tiny_shape()
ARRAYS = random_arrays(SHAPE, seed=1)
TOKENS = np.random.default_rng(2).integers(0, SHAPE.vocab_size, 40).tolist()
NAIVE = naive_logits(ARRAYS, SHAPE, TOKENS)


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(fold_weights(ARRAYS, SHAPE))


def ids(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.int64)


def test_one_forward_pass_equals_the_naive_reference(runtime: Runtime) -> None:
    np.testing.assert_allclose(runtime.forward(ids(TOKENS), runtime.new_cache(1))[0], NAIVE[-1], atol=1e-4)


def test_decoding_with_the_cache_equals_the_naive_reference_at_every_token(runtime: Runtime) -> None:
    cache = runtime.new_cache(1)
    runtime.forward(ids(TOKENS[:10]), cache)
    for position in range(10, 40):
        logits = runtime.forward(ids([TOKENS[position]]), cache)
        np.testing.assert_allclose(logits[0], NAIVE[position], atol=1e-4)


def test_padded_rows_of_a_batch_equal_the_naive_reference(runtime: Runtime) -> None:
    cache = runtime.new_cache(3, padding=[5, 0, 20])
    prompts = ids([0] * 5 + TOKENS[:25], TOKENS[:30], [0] * 20 + TOKENS[:10])
    first = runtime.forward(prompts, cache)
    np.testing.assert_allclose(first, NAIVE[[24, 29, 9]], atol=1e-4)
    second = runtime.forward(ids([TOKENS[25]], [TOKENS[30]], [TOKENS[10]]), cache)
    np.testing.assert_allclose(second, NAIVE[[25, 30, 10]], atol=1e-4)


def test_rows_that_are_kept_go_on_undisturbed(runtime: Runtime) -> None:
    cache = runtime.new_cache(3, padding=[5, 0, 20])
    runtime.forward(ids([0] * 5 + TOKENS[:25], TOKENS[:30], [0] * 20 + TOKENS[:10]), cache)
    cache.keep([2, 0])
    logits = runtime.forward(ids([TOKENS[10]], [TOKENS[25]]), cache)
    np.testing.assert_allclose(logits, NAIVE[[10, 25]], atol=1e-4)


def test_scores_that_could_overflow_are_shifted_by_their_maximum() -> None:
    arrays = {name: value * (30 if "q_norm" in name else 1) for name, value in ARRAYS.items()}
    runtime = Runtime(fold_weights(arrays, SHAPE))
    assert not runtime.weights.layers[0].bounded
    logits = runtime.forward(ids(TOKENS), runtime.new_cache(1))
    np.testing.assert_allclose(logits[0], naive_logits(arrays, SHAPE, TOKENS)[-1], atol=2e-3)


def test_a_sequence_longer_than_the_context_is_refused(runtime: Runtime) -> None:
    with pytest.raises(IndexError):
        runtime.forward(ids([1] * (SHAPE.context + 1)), runtime.new_cache(1))


def test_the_fingerprint_changes_with_one_weight() -> None:
    changed = {name: value.copy() for name, value in ARRAYS.items()}
    changed["head"][0, 0] += 1
    assert fold_weights(changed, SHAPE).fingerprint != fold_weights(ARRAYS, SHAPE).fingerprint


def test_weights_of_another_size_are_refused() -> None:
    wider = ModelShape(d_model=64, layers=2, heads=2, ff=48, vocab_size=300, context=128, rope_theta=1e4)
    with pytest.raises(ValueError, match=r"reshape|broadcast"):
        fold_weights(ARRAYS, wider)


def test_folding_leaves_the_arrays_as_they_were() -> None:
    arrays = random_arrays(SHAPE, seed=4)
    before = {name: value.copy() for name, value in arrays.items()}
    fold_weights({name: value.astype(np.float32) for name, value in arrays.items()}, SHAPE)
    random_weights(SHAPE, seed=4)
    for name, value in before.items():
        np.testing.assert_array_equal(arrays[name], value)


@pytest.mark.train
def test_logits_equal_those_of_the_torch_model_that_was_exported(tmp_path: Path) -> None:
    import torch

    from adaptive_reasoner.training.embedded.export import export, load_exported
    from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig

    torch.manual_seed(0)
    model = Decoder(ModelConfig(d_model=32, layers=2, heads=2, ff=48, vocab_size=300, context=128))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    export(model, tmp_path, {})
    runtime = Runtime(read_weights(tmp_path))
    count = len(TOKENS)
    mask = torch.ones(count, count, dtype=torch.bool).tril()[None, None]
    exported = load_exported(tmp_path)  # rounded to float16, as the runtime reads it
    with torch.no_grad():
        hidden = exported(torch.tensor([TOKENS]), torch.arange(count)[None], mask)
        expected = exported.head(hidden)[0, -1].numpy()
    np.testing.assert_allclose(runtime.forward(ids(TOKENS), runtime.new_cache(1))[0], expected, atol=1e-3)
