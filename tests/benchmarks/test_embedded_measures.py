import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def measures() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "embedded_measures.py"
    spec = importlib.util.spec_from_file_location("embedded_measures", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_wilson_interval_of_eight_in_ten(measures: ModuleType) -> None:
    interval = measures.wilson(8, 10)
    assert interval["share"] == 0.8
    assert (interval["low"], interval["high"]) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_auroc_counts_ties_half(measures: ModuleType) -> None:
    # pairs (wrong, right): (2, 1) won, (2, 2) tied, (3, 1) won, (3, 2) won
    assert measures.auroc([1, 2, 2, 3], [False, False, True, True])["auroc"] == pytest.approx(3.5 / 4)


def test_auroc_needs_both_outcomes(measures: ModuleType) -> None:
    assert measures.auroc([1, 2], [True, True])["auroc"] is None


def test_calibration_error_weighs_bins_by_size(measures: ModuleType) -> None:
    # bin .9: three answers, two right, |2/3 - .95|; bin .1: one answer, wrong, |0 - .15|
    error = measures.expected_calibration_error([0.95, 0.95, 0.95, 0.15], [True, True, False, False])
    assert error == pytest.approx(0.75 * (0.95 - 2 / 3) + 0.25 * 0.15)


def test_paired_difference_uses_the_pairs(measures: ModuleType) -> None:
    found = measures.paired_difference([True] * 3 + [False], [True, False, False, False])
    assert found["difference"] == 0.5
    # differences 0, 1, 1, 0: standard deviation 0.5774, over the root of 4, times 1.96
    assert found["high"] - 0.5 == pytest.approx(1.959964 * 0.57735 / 2, abs=1e-4)
