import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_reasoner.gate.curve import (
    constant,
    find_curve_fault,
    fit_monotone,
    pool_violators,
    read_curve,
)


@pytest.mark.parametrize(
    ("x", "y"), [(-1.0, 0.1), (0.0, 0.1), (0.5, 0.2), (1.0, 0.3), (1.5, 0.6), (2.0, 0.9), (9.0, 0.9)]
)
def test_a_curve_is_linear_between_its_knots_and_constant_beyond(x: float, y: float):
    assert read_curve(((0.0, 0.1), (1.0, 0.3), (2.0, 0.9)), x) == pytest.approx(y)


def test_a_constant_curve_is_a_threshold():
    assert [read_curve(constant(0.2), x) for x in (-5.0, 0.0, 5.0)] == [0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("knots", "monotone", "fault"),
    [
        ((), False, "no knots"),
        (((0.0, math.nan),), False, "not finite"),
        (((0.0, 0.1), (0.0, 0.2)), False, "do not increase"),
        (((0.0, 0.2), (1.0, 0.1)), True, "falls"),
        (((0.0, 0.2), (1.0, 0.1)), False, None),
    ],
)
def test_faults_of_a_curve_are_named(
    knots: tuple[tuple[float, float], ...], monotone: bool, fault: str | None
):
    found = find_curve_fault(knots, monotone=monotone)

    assert found == fault or (found is not None and fault is not None and fault in found)


def test_violators_are_pooled_by_weight():
    pooled = pool_violators([(0.0, 0.1, 1.0), (1.0, 0.5, 1.0), (2.0, 0.2, 2.0), (3.0, 0.9, 1.0)])

    # (.5 + 2 * .2) / 3 = .3 at x = (1 + 2 * 2) / 3
    assert pooled == [
        pytest.approx((0.0, 0.1, 1.0)),
        pytest.approx((5 / 3, 0.3, 3.0)),
        pytest.approx((3.0, 0.9, 1.0)),
    ]


def test_equal_x_share_a_knot():
    knots = fit_monotone(np.array([1.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.0, 1.0]), bins=4)

    assert knots == (pytest.approx((1.0, 1 / 3)), pytest.approx((2.0, 1.0)))


@given(
    st.lists(st.tuples(st.floats(-10, 10), st.integers(0, 1)), min_size=1, max_size=60), st.integers(1, 20)
)
def test_a_fitted_curve_never_falls(points: list[tuple[float, int]], bins: int):
    x, y = np.array([p[0] for p in points]), np.array([float(p[1]) for p in points])

    knots = fit_monotone(x, y, bins=bins)

    assert find_curve_fault(knots, monotone=True) is None
    assert all(-1e-9 <= value <= 1 + 1e-9 for _, value in knots)
