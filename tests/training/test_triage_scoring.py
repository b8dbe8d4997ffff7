"""CPT and APGR, by hand."""

import numpy as np
import pytest

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.training.triage.scoring import (
    apgr,
    cpt,
    deferral_weights,
    draw_counts,
    interval,
    recovered,
    resampled_apgr,
)

# Four questions: thinking mends the second and the fourth, breaks none.
GAINS = np.array([0.0, 1.0, 0.0, 1.0])


def test_the_curve_of_the_right_order_rises_at_once():
    scores = np.array([0.1, 0.9, 0.2, 0.8])
    assert recovered(scores, GAINS).tolist() == [0.0, 0.5, 1.0, 1.0, 1.0]
    assert apgr(scores, GAINS) == pytest.approx((7 / 8 + 5 / 8) / 2)  # middles of the first two quarters
    assert (cpt(scores, GAINS, 0.5), cpt(scores, GAINS, 0.8)) == (0.25, 0.5)


def test_the_wrong_order_is_as_bad_as_the_right_one_is_good():
    scores = np.array([0.9, 0.1, 0.8, 0.2])
    assert apgr(scores, GAINS) == pytest.approx(1 - 0.75)
    assert cpt(scores, GAINS, 0.5) == 0.75


def test_ties_are_broken_at_random_in_expectation():
    assert apgr(np.zeros(4), GAINS) == pytest.approx(0.5)
    assert recovered(np.zeros(4), GAINS).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert deferral_weights(np.array([1.0, 1.0, 0.0])).tolist() == pytest.approx([2 / 3, 2 / 3, 1 / 6])


def test_a_question_that_thinking_breaks_counts_against_the_order_that_sends_it():
    gains = np.array([-1.0, 1.0, 1.0])
    assert apgr(np.array([3.0, 2.0, 1.0]), gains) == pytest.approx((-5 / 6 + 3 / 6 + 1 / 6) / 1)


def test_a_resample_counts_questions_as_often_as_they_were_drawn():
    scores, gains = np.array([0.9, 0.1, 0.5, 0.5]), np.array([1.0, 0.0, -1.0, 1.0])
    counts = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 0.0, 1.0]])
    drawn = resampled_apgr(scores, gains, counts)
    assert drawn[0] == pytest.approx(apgr(scores, gains))
    # Drawn twice, once, never and once: the order is the first question, again, the fourth, the second.
    assert drawn[1] == pytest.approx((2 * 0.75 + 0.375) / 3)


def test_a_resample_without_a_gap_is_left_out_of_the_interval():
    gains = np.array([1.0, -1.0])
    drawn = resampled_apgr(np.array([1.0, 0.0]), gains, np.array([[1.0, 1.0], [2.0, 0.0]]))
    assert np.isnan(drawn[0])
    assert interval(drawn) == (pytest.approx(0.5), pytest.approx(0.5))


def test_resamples_are_the_same_for_the_same_seed():
    counts = draw_counts(50, 3, seed=1)
    assert counts.sum(axis=1).tolist() == [50.0, 50.0, 50.0]
    assert (counts == draw_counts(50, 3, seed=1)).all()


@pytest.mark.parametrize(
    ("scores", "gains", "said"),
    [
        ([np.nan, 0.0], [1.0, 0.0], "finite"),
        ([0.0, 1.0], [np.inf, 0.0], "finite"),
        ([0.0, 1.0], [1.0, -1.0], "no gap"),
    ],
)
def test_what_cannot_be_scored_is_refused(scores, gains, said):
    with pytest.raises(InvalidInputError, match=said):
        apgr(np.array(scores), np.array(gains))
