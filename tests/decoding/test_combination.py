"""The arithmetic, by hand and by its laws, over NumPy arrays and torch tensors alike."""

import importlib.util
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adaptive_reasoner.decoding import Combination, VocabularyMap, combine_logits
from adaptive_reasoner.errors import ConfigurationError, LogprobsError

TORCH = pytest.param(
    "torch",
    marks=[
        pytest.mark.train,
        pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch (extra `local`)"),
    ],
)
rows = arrays(np.float64, (3, 7), elements=st.floats(-8, 8))


@pytest.fixture(params=["numpy", TORCH])
def make(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    if request.param == "numpy":
        return np.asarray
    import torch

    return torch.as_tensor


def _plain(found: Any) -> list[Any]:
    return np.asarray(found.tolist()).tolist()


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_the_target_moves_by_alpha_times_the_difference(make: Callable[[Any], Any]) -> None:
    found = combine_logits(make([[1.0, 2.0]]), make([[4.0, 0.0]]), make([[2.0, 1.0]]), 0.5)
    assert _plain(found) == [[2.0, 1.5]]


def test_each_row_may_have_its_own_alpha(make: Callable[[Any], Any]) -> None:
    one = make([[1.0, 2.0], [1.0, 2.0]])
    found = combine_logits(one, make([[3.0, 0.0]] * 2), make([[1.0, 1.0]] * 2), [0.0, 2.0])
    assert _plain(found) == [[1.0, 2.0], [5.0, 0.0]]


def test_a_single_row_needs_no_batch(make: Callable[[Any], Any]) -> None:
    assert _plain(combine_logits(make([1.0, 0.0]), make([2.0, 0.0]), make([0.0, 0.0]), 1)) == [3.0, 0.0]


def test_ids_that_a_guider_lacks_keep_the_targets_logit(make: Callable[[Any], Any]) -> None:
    found = combine_logits(make([[1.0, 1.0, 7.0]]), make([[3.0, 5.0]]), make([[1.0, 1.0, 9.0, 9.0]]), 1.0)
    assert _plain(found) == [[3.0, 5.0, 7.0]]


def test_a_wider_guider_is_trimmed(make: Callable[[Any], Any]) -> None:
    found = combine_logits(make([[1.0]]), make([[3.0, 5.0]]), make([[1.0, 1.0]]), 1.0)
    assert _plain(found) == [[3.0]]


def test_a_map_moves_its_own_ids_and_no_other(make: Callable[[Any], Any]) -> None:
    shared = VocabularyMap(np.array([0, 3]), np.array([1, 1]))
    found = combine_logits(
        make([[0.0, 10.0, 20.0, 30.0]]), make([[9.0, 2.0]]), make([[5.0, 1.0]]), 2.0, Combination(shared)
    )
    assert _plain(found) == [[2.0, 10.0, 20.0, 32.0]]


def test_the_given_arrays_are_left_as_they_were(make: Callable[[Any], Any]) -> None:
    target = make([[1.0, 2.0]])
    shared = VocabularyMap(np.array([1]), np.array([0]))
    combine_logits(target, make([[3.0]]), make([[1.0]]), 1.0, Combination(shared, nucleus=0.5))
    assert _plain(target) == [[1.0, 2.0]]


def test_the_mask_keeps_the_smallest_set_that_holds_the_nucleus(make: Callable[[Any], Any]) -> None:
    target = make(np.log([[0.5, 0.3, 0.15, 0.05]]))
    nothing = make([[0.0, 0.0, 9.0, 9.0]])
    kept = {
        share: [
            math.isfinite(x)
            for x in _plain(combine_logits(target, nothing, nothing, 1.0, Combination(nucleus=share)))[0]
        ]
        for share in (0.4, 0.6, 0.9)
    }
    assert kept == {
        0.4: [True, False, False, False],
        0.6: [True, True, False, False],
        0.9: [True, True, True, False],
    }


def test_equally_likely_ids_at_the_edge_of_the_nucleus_all_stay(make: Callable[[Any], Any]) -> None:
    even = make([[0.0, 0.0, 0.0, 0.0]])
    assert _plain(combine_logits(even, even, even, 1.0, Combination(nucleus=0.3))) == [[0.0] * 4]


def test_what_is_ruled_out_never_becomes_nan(make: Callable[[Any], Any]) -> None:
    out = -math.inf
    target = make([[out, 1.0, 1.0, 1.0]])
    found = combine_logits(target, make([[0.0, out, out, 0.0]]), make([[0.0, out, 0.0, out]]), 1.0)
    assert _plain(found) == [[out, 1.0, out, 1.0]]
    assert _plain(
        combine_logits(target, make([[0.0, out, out, 0.0]]), make([[0.0, out, 0.0, out]]), 0)
    ) == _plain(target)


@given(target=rows, expert=rows, base=rows, alpha=st.floats(-3, 3))
def test_log_probabilities_and_logits_give_the_same_distribution(
    target: np.ndarray, expert: np.ndarray, base: np.ndarray, alpha: float
) -> None:
    """A row's constant cancels in the softmax, so that log-softmax before or not is the same."""
    logs = [np.log(_softmax(array)) for array in (target, expert, base)]
    from_logits = _softmax(combine_logits(target, expert, base, alpha))
    assert np.allclose(from_logits, _softmax(combine_logits(*logs, alpha)), atol=1e-9)


@given(target=rows, expert=rows, base=rows, constant=st.floats(-20, 20))
def test_normalised_guiders_make_it_so_on_a_trimmed_vocabulary_too(
    target: np.ndarray, expert: np.ndarray, base: np.ndarray, constant: float
) -> None:
    how = Combination(normalize=True)
    one = combine_logits(target, expert[:, :5], base[:, :5], 1.0, how)
    assert np.allclose(one, combine_logits(target, expert[:, :5] + constant, base[:, :5], 1.0, how))
    assert (one[:, 5:] == target[:, 5:]).all()


def test_without_that_a_constant_moves_the_shared_ids_against_the_rest() -> None:
    target, shared = np.zeros((1, 3)), np.zeros((1, 2))
    assert combine_logits(target, shared + 4.0, shared, 1.0).tolist() == [[4.0, 4.0, 0.0]]


@given(target=rows, expert=rows)
def test_the_same_guider_twice_or_alpha_zero_changes_nothing(target: np.ndarray, expert: np.ndarray) -> None:
    assert np.array_equal(combine_logits(target, expert, expert, 1.5), target)
    assert np.array_equal(combine_logits(target, expert, target, 0.0), target)


def test_half_precision_is_added_up_in_single() -> None:
    # 2048 + 1 is not a float16: the sum would be lost in the target's own type.
    half = [np.array([[value]], np.float16) for value in (2048.0, 2.0, 1.0)]
    found = combine_logits(*half, 1.0)
    assert found.dtype == np.float32
    assert found.tolist() == [[2049.0]]


@pytest.mark.train
def test_tensors_of_mixed_precision_meet_in_the_widest() -> None:
    torch = pytest.importorskip("torch", reason="needs torch (extra `local`)")
    target = torch.tensor([[256.0]], dtype=torch.bfloat16)
    single = combine_logits(target, torch.ones(1, 1, dtype=torch.float16), torch.zeros(1, 1), 1.0)
    assert (single.dtype, single.tolist()) == (torch.float32, [[257.0]])
    wide = torch.zeros(1, 1, dtype=torch.float64)
    assert combine_logits(target, wide, wide, 1.0).dtype == torch.float64
    assert combine_logits(wide, wide + 1, wide, 0.1).item() == 0.1


@pytest.mark.parametrize(
    "alpha", [math.nan, math.inf, -math.inf, "much", None, [1.0, 1.0, 1.0], [[1.0], [1.0]]]
)
def test_an_alpha_that_is_no_finite_number_is_refused(make: Callable[[Any], Any], alpha: object) -> None:
    two = make([[1.0, 2.0]] * 2)
    with pytest.raises(ConfigurationError, match="alpha must be"):
        combine_logits(two, two, two, alpha)


@pytest.mark.parametrize(
    ("expert", "base"), [((1, 3), (2, 3)), ((2, 3), (3,)), ((2, 0), (2, 3)), ((), (2, 3))]
)
def test_shapes_that_do_not_fit_are_refused(
    make: Callable[[Any], Any], expert: tuple[int, ...], base: tuple[int, ...]
) -> None:
    with pytest.raises(ConfigurationError, match="equal shapes up to the vocabulary"):
        combine_logits(make(np.zeros((2, 3))), make(np.zeros(expert)), make(np.zeros(base)), 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_value_that_is_no_logit_is_refused(make: Callable[[Any], Any], value: float, place: int) -> None:
    given = [np.zeros((1, 2)) for _ in range(3)]
    given[place][0, 1] = value
    with pytest.raises(LogprobsError, match=f"{('target', 'expert', 'base')[place]} holds NaN"):
        combine_logits(*map(make, given), 1.0)


def test_a_map_for_larger_vocabularies_is_refused(make: Callable[[Any], Any]) -> None:
    two = make([[1.0, 2.0]])
    for shared in (VocabularyMap(np.array([2]), np.array([0])), VocabularyMap(np.array([0]), np.array([2]))):
        with pytest.raises(ConfigurationError, match="names id 2 of the"):
            combine_logits(two, two, two, 1.0, Combination(shared))


@pytest.mark.train
def test_tensors_beside_arrays_are_refused() -> None:
    torch = pytest.importorskip("torch", reason="needs torch (extra `local`)")
    with pytest.raises(ConfigurationError, match="mix torch tensors and NumPy arrays"):
        combine_logits(torch.zeros(1, 2), np.zeros((1, 2)), np.zeros((1, 2)), 1.0)


@pytest.mark.parametrize("nucleus", [0.0, 1.0, -0.1, math.nan])
def test_a_nucleus_that_is_no_share_is_refused(nucleus: float) -> None:
    with pytest.raises(ConfigurationError, match="nucleus"):
        Combination(nucleus=nucleus)


def test_the_arithmetic_needs_no_torch() -> None:
    code = (
        "import sys, adaptive_reasoner.decoding as d; d.combine_logits([1.0], [2.0], [1.0], 1.0); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_the_processor_without_its_extra_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        "import adaptive_reasoner.decoding as d\n"
        "from adaptive_reasoner.errors import MissingExtraError\n"
        "try: d.ThinkLogitsProcessor\n"
        "except MissingExtraError as error: sys.exit('adaptive-reasoner[local]' not in str(error))\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
