import numpy as np
import pytest
from measuring.saving import Line, References, Resamples, draw_resamples, interval, tokens_at

from adaptive_reasoner.training.embedded.calibrate_policy import Totals

# Four problems: fast is right on the first, deep on the first three.
FAST = Totals(np.array([1.0, 0, 0, 0]), np.array([5.0, 5, 5, 5]))
DEEP = Totals(np.array([1.0, 1, 1, 0]), np.array([35.0, 45, 105, 95]))
ONCE = Resamples(np.ones((1, 4)))
REFERENCES = References(FAST, DEEP)


def test_random_mixing_is_a_straight_line_between_fast_and_deep():
    # fast: accuracy .25 at 5 tokens; deep: .75 at 70; halfway .5 at 37.5
    assert REFERENCES.random_tokens(ONCE, np.array([0.25])) == pytest.approx([5.0])
    assert REFERENCES.random_tokens(ONCE, np.array([0.5])) == pytest.approx([37.5])
    assert REFERENCES.random_tokens(ONCE, np.array([0.75])) == pytest.approx([70.0])


def test_oracle_thinks_only_where_it_helps_and_cheapest_first():
    # +1 right answer costs 40 tokens more, the next one 100, over four problems
    assert REFERENCES.oracle_tokens(ONCE, np.array([0.25])) == pytest.approx([5.0])
    assert REFERENCES.oracle_tokens(ONCE, np.array([0.5])) == pytest.approx([5 + 40 / 4])
    assert REFERENCES.oracle_tokens(ONCE, np.array([0.75])) == pytest.approx([5 + 140 / 4])
    assert REFERENCES.oracle().accuracy == 0.75
    assert REFERENCES.oracle().mean_tokens == pytest.approx(40.0)


def test_oracle_cannot_be_more_accurate_than_both_modes_together():
    assert np.isinf(REFERENCES.oracle_tokens(ONCE, np.array([0.8])))


def test_share_is_0_for_random_mixing_and_1_for_the_oracle():
    wanted = np.array([0.5])
    assert REFERENCES.share(ONCE, wanted, np.array([37.5])) == pytest.approx([0.0])
    assert REFERENCES.share(ONCE, wanted, np.array([15.0])) == pytest.approx([1.0])
    assert REFERENCES.share(ONCE, wanted, np.array([26.25])) == pytest.approx([0.5])


def test_a_resample_weighs_the_oracle_like_repeated_problems():
    # The second problem drawn twice, the third never: both thinkable problems cost 40 more.
    twice = Resamples(np.array([[1.0, 2, 0, 1]]))
    assert REFERENCES.oracle_tokens(twice, np.array([0.75])) == pytest.approx([5 + 80 / 4])


def test_tokens_at_interpolates_between_neighbouring_points():
    accuracies, tokens = np.array([[0.2, 0.6, 0.9]]), np.array([[10.0, 30.0, 60.0]])
    assert tokens_at(accuracies, tokens, np.array([0.4])) == pytest.approx([20.0])
    assert tokens_at(accuracies, tokens, np.array([0.75])) == pytest.approx([45.0])
    assert np.isinf(tokens_at(accuracies, tokens, np.array([0.95])))


def test_tokens_at_takes_the_cheapest_of_several_crossings():
    accuracies, tokens = np.array([[0.2, 0.6, 0.4, 0.8]]), np.array([[10.0, 30.0, 12.0, 40.0]])
    assert tokens_at(accuracies, tokens, np.array([0.5])) == pytest.approx([19.0])  # the third to the fourth


def test_a_single_point_reaches_what_it_has():
    assert tokens_at(np.array([[0.7]]), np.array([[33.0]]), np.array([0.65])) == pytest.approx([33.0])


def test_resamples_keep_the_number_of_problems_and_start_with_the_original():
    resamples = draw_resamples(50, 3, seed=1)
    assert resamples.counts.shape == (4, 50)
    assert (resamples.counts[0] == 1).all()
    assert (resamples.counts.sum(axis=1) == 50).all()


def test_means_of_a_line_are_per_resample_and_point():
    accuracies, tokens = Line("both", [FAST, DEEP]).means(Resamples(np.array([[1.0, 1, 1, 1], [4, 0, 0, 0]])))
    assert accuracies == pytest.approx(np.array([[0.25, 0.75], [1.0, 1.0]]))
    assert tokens == pytest.approx(np.array([[5.0, 70.0], [5.0, 35.0]]))


def test_interval_leaves_out_the_original_and_what_was_not_reached():
    assert interval(np.array([99.0, *np.linspace(0, 1, 101)])) == pytest.approx([0.025, 0.975])
    assert interval(np.array([1.0, np.inf])) is None
