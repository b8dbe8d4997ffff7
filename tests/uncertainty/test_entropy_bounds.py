import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_reasoner.uncertainty import TokenLogprob
from adaptive_reasoner.uncertainty.entropy import entropy_bounds, perplexity, top_matrix


def test_a_complete_list_gives_the_exact_entropy():
    lower, upper, covered = entropy_bounds(np.log([[0.5, 0.25, 0.25]]))

    # .5 ln 2 + 2 * .25 ln 4 = 1.5 ln 2
    assert lower[0] == pytest.approx(1.5 * math.log(2))
    assert upper[0] == pytest.approx(1.5 * math.log(2))
    assert covered[0] == pytest.approx(1.0)


def test_a_truncated_list_gives_an_interval():
    lower, upper, covered = entropy_bounds(np.log([[0.6, 0.3]]), vocabulary_size=102)

    as_one_symbol = -(0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1))
    assert lower[0] == pytest.approx(as_one_symbol)
    assert upper[0] == pytest.approx(as_one_symbol + 0.1 * math.log(100))
    assert covered[0] == pytest.approx(0.9)


def test_a_tail_within_the_rounding_of_probabilities_counts_for_the_upper_bound_only():
    top = np.log([[0.5, 0.5 - 5e-7], [0.5, 0.5 - 5e-6]])

    lower, upper, _ = entropy_bounds(top)

    listed = [-sum(p * math.log(p) for p in row) for row in np.exp(top)]
    assert lower[0] == pytest.approx(listed[0], abs=1e-12)
    assert lower[1] == pytest.approx(listed[1] - 5e-6 * math.log(5e-6), abs=1e-9)
    assert (upper > lower).all()


def test_an_improbable_token_without_alternatives_is_not_certain():
    # A renormalised entropy would be 0 here, where nearly all of the mass is unseen.
    lower, upper, covered = entropy_bounds(np.array([[-11.77]]))

    assert upper[0] == pytest.approx(math.log(200_000), abs=0.01)
    assert lower[0] < 0.001
    assert covered[0] < 1e-5


def test_rows_of_different_length_do_not_disturb_each_other():
    tokens = [
        TokenLogprob("a", math.log(0.5), [("a", math.log(0.5)), ("b", math.log(0.5))]),
        TokenLogprob("c", 0.0, [("c", 0.0)]),
    ]

    lower, _, _ = entropy_bounds(top_matrix(tokens))

    assert lower.tolist() == pytest.approx([math.log(2), 0.0])


def test_a_chosen_token_outside_its_own_list_is_counted():
    missing = TokenLogprob("c", math.log(0.2), [("a", math.log(0.5)), ("b", math.log(0.3))])

    lower, _, covered = entropy_bounds(top_matrix([missing]))

    assert covered[0] == pytest.approx(1.0)
    assert lower[0] == pytest.approx(-(0.5 * math.log(0.5) + 0.3 * math.log(0.3) + 0.2 * math.log(0.2)))


def test_perplexity_of_even_halves_is_two():
    assert perplexity([math.log(0.5), math.log(0.5)]) == pytest.approx(2.0)


def test_perplexity_of_an_impossible_token_does_not_overflow():
    assert perplexity([-8999.0]) == pytest.approx(math.exp(700))


@given(
    st.lists(st.floats(0.0, 30.0), min_size=2, max_size=60),
    st.integers(1, 60),
)
def test_bounds_contain_the_true_entropy_at_any_truncation(surprises: list[float], kept: int):
    weights = np.exp(-np.array(surprises))
    distribution = np.sort(weights / weights.sum())[::-1]
    true_entropy = float(-(distribution * np.log(distribution)).sum())

    lower, upper, covered = entropy_bounds(
        np.log(distribution[:kept])[None, :], vocabulary_size=len(distribution)
    )

    assert lower[0] <= true_entropy + 1e-9
    assert upper[0] >= true_entropy - 1e-9
    assert covered[0] == pytest.approx(distribution[:kept].sum())


@pytest.mark.parametrize("kept", [2, 5, 20])
def test_bounds_hold_at_the_usual_list_lengths(kept: int):
    distribution = np.random.default_rng(kept).dirichlet(np.full(1000, 0.05))
    ranked = np.sort(distribution[distribution > 0])[::-1]
    true_entropy = float(-(ranked * np.log(ranked)).sum())

    lower, upper, _ = entropy_bounds(np.log(ranked[:kept])[None, :])

    assert lower[0] <= true_entropy <= upper[0]
    assert upper[0] > math.log(kept)  # a renormalised list could never say so
