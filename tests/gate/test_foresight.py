import numpy as np
import pytest

from adaptive_reasoner.errors import CalibrationError
from adaptive_reasoner.gate.foresight import fit_foresight
from adaptive_reasoner.state import Triage


def predictions(gains: list[float], source: str = "linear:mine") -> list[Triage]:
    return [{"gain": gain, "difficulty": 0.5, "source": source, "reason": ""} for gain in gains]


def test_the_slope_is_what_the_risk_leaves_unexplained():
    predicted = predictions([0.1, 0.3] * 200)
    gains, expected = np.array([0.0, 1.0] * 200), np.full(400, 0.45)

    foresight = fit_foresight(predicted, gains, expected)

    # left over: -.45 and .55 where .1 less and .1 more than usual was predicted: all of it is explained
    assert foresight is not None
    assert foresight.usual == pytest.approx(0.2)
    assert foresight.slope == pytest.approx((0.1 * 0.45 + 0.1 * 0.55) / (2 * 0.01), rel=0.01)
    assert foresight.shift(predicted[1]) == pytest.approx(0.5, rel=0.01)


def test_an_estimator_that_says_the_opposite_is_left_out():
    assert fit_foresight(predictions([0.3, 0.1] * 200), np.array([0.0, 1.0] * 200), np.zeros(400)) is None


def test_chance_adds_next_to_nothing():
    rng = np.random.default_rng(0)
    slopes = []
    for _ in range(200):
        found = fit_foresight(
            predictions(rng.normal(0, 0.1, 300).tolist()), rng.normal(0, 0.5, 300), np.zeros(300)
        )
        slopes.append(found.slope if found else 0.0)

    assert np.median(slopes) == 0.0
    assert np.mean(slopes) * 0.1 < 0.02  # P(right) that one standard deviation of noise moves


@pytest.mark.parametrize(
    "predicted",
    [
        [None] * 4,
        predictions([0.1] * 4),
        [*predictions([0.1, 0.2]), *predictions([0.3, 0.4], source="another")],
    ],
)
def test_without_one_estimator_that_varies_there_is_nothing_to_fit(predicted: list[Triage | None]):
    assert fit_foresight(predicted, np.array([0.0, 1.0, 0.0, 1.0]), np.zeros(4)) is None


@pytest.mark.parametrize("gain", [float("nan"), float("inf")])
def test_a_prediction_that_is_no_number_is_refused(gain: float):
    with pytest.raises(CalibrationError, match="linear:mine is no finite number"):
        fit_foresight(predictions([0.1, gain]), np.zeros(2), np.zeros(2))
