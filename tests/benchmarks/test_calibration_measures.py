"""The measures of benchmarks/promise.py, on answers that can be counted by hand."""

import numpy as np
import pytest
from measuring.calibration_error import calibration_figures, ece, ece_debiased, reliability
from measuring.provable import most_allowed, oracle_coverage, provable_coverage

HALF_WRONG = np.array([True, False] * 50)


def test_the_calibration_error_is_the_weighted_gap_of_its_bins() -> None:
    risks = np.array([0.05] * 100 + [0.7] * 100)
    wrong = np.concatenate([np.arange(100) < 15, HALF_WRONG])

    # .15 observed for .05 and .5 for .7, half the answers each
    assert ece(reliability(risks, wrong)) == pytest.approx(0.15)


def test_a_perfect_risk_shows_an_error_all_the_same_and_the_floor_says_how_much() -> None:
    rng = np.random.default_rng(0)
    risks = rng.uniform(0, 1, 2000)
    figures = calibration_figures(risks, rng.random(2000) < risks)

    # ten bins of 200: mean |gap| is .8 standard errors of about .031
    assert figures["ece_if_perfect"] == pytest.approx(0.021, abs=0.003)
    assert figures["ece"] == pytest.approx(figures["ece_if_perfect"], abs=0.01)
    assert figures["ece_debiased"] < figures["ece"]


def test_a_gap_within_chance_is_taken_off_and_a_large_one_stays() -> None:
    # 100 answers, half of them wrong: the standard error is .05
    assert ece_debiased([[0.53, 0.5, 100.0]]) == 0.0
    assert ece_debiased([[0.9, 0.5, 100.0]]) == pytest.approx(0.397, abs=0.001)


def test_bins_of_equal_counts_see_what_hides_in_one_wide_bin() -> None:
    risks = np.repeat(np.linspace(0.01, 0.09, 10), 100)
    wrong = np.tile(np.arange(100) < 5, 10)  # .05 throughout, whatever the risk says

    figures = calibration_figures(risks, wrong)

    assert figures["ece"] == pytest.approx(0.0, abs=1e-9)
    assert figures["ece_equal_mass"] == pytest.approx(0.0222, abs=0.0001)


def test_the_oracle_accepts_as_much_as_the_target_allows() -> None:
    risks = np.linspace(0, 1, 100)

    assert oracle_coverage(risks, np.arange(100) >= 90, 0.05) == pytest.approx(0.94)
    assert oracle_coverage(risks, np.ones(100, bool), 0.05) == 0.0


def test_the_most_errors_that_a_test_allows_are_the_exact_tests() -> None:
    # .95 ** 45 < .1 < .95 ** 44
    assert [most_allowed(n, 0.05, 0.1) for n in (44, 45)] == [-1, 0]


def test_nothing_can_be_proved_where_the_error_is_the_target() -> None:
    risks, wrong = np.linspace(0, 1, 2000), np.arange(2000) % 20 == 10  # .05 at every threshold

    assert oracle_coverage(risks, wrong, 0.05) > 0.9
    assert provable_coverage(risks, wrong, max_error=0.05, failure=0.1) < 0.2
    assert provable_coverage(risks, wrong, max_error=0.1, failure=0.1) == pytest.approx(1.0, abs=0.01)
