"""The integer program, on batches small enough to solve by hand."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the program needs SciPy")

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.training.ibpo.program import NONE, Rewards, solve


def rewards(fast: list[list[float]], deep: list[list[float]]) -> Rewards:
    return Rewards(np.array(fast, dtype=float), np.array(deep, dtype=float))


# four prompts, two fast and two deep responses: fast half right, fast wrong, both right, both wrong
FOUR = rewards([[1, 0], [0, 0], [1, 1], [0, 0]], [[1, 1], [0, 1], [1, 1], [0, 0]])


def test_a_margin_is_the_reward_less_the_other_modes_mean() -> None:
    fast, deep = FOUR.margins()
    assert fast.tolist() == [[0.0, -1.0], [-0.5, -0.5], [0.0, 0.0], [0.0, 0.0]]
    assert deep.tolist() == [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    assert FOUR.gain.tolist() == [0.5, 0.5, 0.0, 0.0]


def test_with_room_for_it_thinking_is_chosen_where_its_margin_is_larger() -> None:
    chosen = solve(FOUR, 0.5)
    assert chosen.deep.tolist() == [0, 1, NONE, NONE]
    assert chosen.fast.tolist() == [NONE, NONE, 0, NONE]
    assert chosen.share == 0.5


def test_a_tight_share_goes_to_the_largest_margins() -> None:
    chosen = solve(FOUR, 0.25)
    assert chosen.deep.tolist() == [NONE, 1, NONE, NONE]  # margin 1 before margin .5
    assert chosen.fast.tolist() == [0, NONE, 0, NONE]  # what is left keeps its right fast answer


def test_no_share_at_all_leaves_the_fast_responses() -> None:
    chosen = solve(FOUR, 0.0)
    assert chosen.share == 0.0
    assert chosen.fast.tolist() == [0, NONE, 0, NONE]


@pytest.mark.parametrize("share", [None, 1.0])
def test_where_both_modes_are_right_the_fast_response_is_kept(share: float | None) -> None:
    chosen = solve(rewards([[1], [1]], [[1], [0]]), share)
    assert chosen.fast.tolist() == [0, 0]
    assert chosen.deep.tolist() == [NONE, NONE]


def test_a_wrong_response_is_never_chosen() -> None:
    chosen = solve(rewards([[0], [0]], [[0], [0]]), None)
    assert chosen.fast.tolist() == chosen.deep.tolist() == [NONE, NONE]


def test_a_share_is_taken_whole_where_floats_fall_a_little_short() -> None:
    assert 0.58 * 50 < 29
    chosen = solve(rewards([[0, 0]] * 50, [[1, 1]] * 50), 0.58)
    assert chosen.share == 0.58


def test_a_larger_batch_keeps_to_its_share_and_takes_the_best() -> None:
    rng = np.random.default_rng(0)
    many = Rewards((rng.random((60, 3)) < 0.5).astype(float), (rng.random((60, 2)) < 0.9).astype(float))
    chosen = solve(many, 0.3)
    best = np.sort(np.where(many.deep.max(axis=1) > 0, 1 - many.fast.mean(axis=1), -1))[-18:]
    taken = chosen.deep != NONE
    assert taken.sum() == 18  # 0.3 * 60, which floating point puts just below
    # each prompt has at most one response, and none is worth swapping for one that was left out
    assert not (taken & (chosen.fast != NONE)).any()
    assert best.sum() == pytest.approx((1 - many.fast.mean(axis=1))[taken].sum(), abs=0.67)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        solve(FOUR, share)


def test_rewards_of_different_prompts_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="same prompts"):
        rewards([[1], [0]], [[1]])
    with pytest.raises(ConfigurationError, match="not a finite number"):
        rewards([[float("nan")]], [[1]])
