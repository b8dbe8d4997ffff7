"""The price of thinking: what the mode token is taught, and how its share is reached."""

import numpy as np
import pytest

from adaptive_reasoner.training.ibpo.price import Price, mode_weights


def test_weights_are_the_reduced_margins_in_expectation() -> None:
    think, fast = mode_weights(np.array([1.0, 0.5, 0.0, -1.0]), price=0.25)
    # before scaling: think .75, .375, 0, 0 and fast 0, .125, .25, .25, which sum to 1.75
    assert think == pytest.approx(np.array([0.75, 0.375, 0.0, 0.0]) * 4 / 1.75)
    assert fast == pytest.approx(np.array([0.0, 0.125, 0.25, 0.25]) * 4 / 1.75)
    assert think.sum() + fast.sum() == pytest.approx(4.0)


@pytest.mark.parametrize("price", [0.1, 0.5, 0.8])
def test_thinking_is_likelier_exactly_where_the_margin_exceeds_the_price(price: float) -> None:
    gains = np.array([price - 0.05, price + 0.05])
    think, fast = mode_weights(gains, price)
    learned = think / (think + fast)  # what minimises the weighted cross-entropy
    assert learned[0] < 0.5 < learned[1]
    odds = think / fast * price / (1 - price)  # without the price, P(think) is the expected margin itself
    assert odds / (1 + odds) == pytest.approx(gains)


def test_the_price_rises_while_too_many_think() -> None:
    price = Price(share=0.25)
    logits = np.array([-1.0, 1.0, 2.0, 3.0])  # three quarters think; the .75 quantile is 2.25
    price.follow(logits)
    assert price.value == pytest.approx(1 / (1 + np.exp(-0.5 * 2.25)))


def test_the_price_rests_once_the_share_is_reached() -> None:
    price = Price(share=0.5, value=0.3)
    price.follow(np.array([-1.0, -0.5, 0.5, 1.0]))
    assert price.value == pytest.approx(0.3)


def test_without_a_share_the_price_stays() -> None:
    price = Price(share=None)
    price.follow(np.array([5.0, 6.0]))
    assert price.value == 0.5


def test_following_the_price_reaches_the_share() -> None:
    margins = np.random.default_rng(0).beta(0.5, 0.7, size=4000)
    for share in (0.25, 0.5, 0.75):
        price = Price(share=share)
        for _ in range(12):
            think, fast = mode_weights(margins, price.value)
            price.follow(np.log(think / fast))
        assert (margins > price.value).mean() == pytest.approx(share, abs=0.01)


def test_the_price_stays_inside_its_limits() -> None:
    price = Price(share=0.5)
    price.follow(np.full(3, -1000.0))
    assert price.value == 0.01
