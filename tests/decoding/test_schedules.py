"""Alpha, token by token."""

import math

import pytest

from adaptive_reasoner.decoding import AlphaSchedule, ConstantAlpha, WarmupAlpha
from adaptive_reasoner.decoding.schedules import BoundedAlpha
from adaptive_reasoner.errors import ConfigurationError


def test_constant_alpha_is_the_same_for_every_token() -> None:
    assert [ConstantAlpha(0.75).at(generated) for generated in (0, 1, 500)] == [0.75] * 3


def test_warm_up_leaves_the_first_tokens_to_the_target() -> None:
    schedule = WarmupAlpha(1.25, tokens=2)
    assert [schedule.at(generated) for generated in range(4)] == [0.0, 0.0, 1.25, 1.25]
    assert WarmupAlpha(tokens=0).at(0) == 1.0


def test_a_budget_guides_its_own_tokens_and_none_after_them() -> None:
    schedule = BoundedAlpha(WarmupAlpha(1.25, tokens=1), tokens=3)
    assert [schedule.at(generated) for generated in range(5)] == [0.0, 1.25, 1.25, 0.0, 0.0]


def test_whoever_gives_an_alpha_a_token_is_a_schedule() -> None:
    assert isinstance(WarmupAlpha(), AlphaSchedule)
    assert isinstance(ConstantAlpha(), AlphaSchedule)


@pytest.mark.parametrize("alpha", [math.nan, math.inf])
def test_an_alpha_that_is_not_finite_is_refused(alpha: float) -> None:
    for schedule in (ConstantAlpha, WarmupAlpha):
        with pytest.raises(ConfigurationError, match="alpha must be a finite number"):
            schedule(alpha)


def test_a_warm_up_of_less_than_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="warm-up must be 0 tokens or more"):
        WarmupAlpha(tokens=-1)
