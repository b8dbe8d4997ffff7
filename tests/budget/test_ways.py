import numpy as np
import pytest

from adaptive_reasoner.budget import solve_price
from adaptive_reasoner.budget.ways import SafetyValves, choose_ways
from adaptive_reasoner.errors import ConfigurationError, InvalidInputError

# accept, refine, think: what each adds to P(right), and its tokens
GAINS = [[0.0, 0.10, 0.30], [0.0, 0.20, 0.25], [0.0, 0.00, 0.05]]
COSTS = [[0, 30, 100], [0, 30, 100], [0, 30, 100]]


def test_each_question_takes_the_way_that_serves_the_whole():
    # 130 tokens: thinking the first and refining the second gains .5; no other choice comes near
    choice = choose_ways(GAINS, COSTS, budget=130)

    assert choice.ways.tolist() == [2, 1, 0]
    assert choice.gain == pytest.approx(0.5)
    assert choice.spent == 130


def test_what_must_think_thinks_though_it_gains_little():
    choice = choose_ways(GAINS, COSTS, budget=130, valves=SafetyValves(must_think=(2,)))

    assert choice.ways.tolist() == [0, 1, 2]


def test_a_least_share_thinks_as_cheaply_as_it_can():
    valves = SafetyValves(least_share=0.6)  # two of three

    choice = choose_ways(GAINS, COSTS, budget=230, valves=valves)

    assert (choice.ways == 2).sum() == 2
    assert choice.gain == pytest.approx(0.30 + 0.25)


def test_valves_that_the_budget_cannot_pay_for_are_one_clear_error():
    with pytest.raises(ConfigurationError, match="Raise the budget or lower the valves"):
        choose_ways(GAINS, COSTS, budget=150, valves=SafetyValves(least_share=1.0))


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_falls_short_of_the_integer_programme_by_less_than_one_question(seed: int):
    rng = np.random.default_rng(seed)
    gains, costs = rng.normal(0.1, 0.2, 60), rng.integers(50, 500, 60).astype(float)
    budget = 0.3 * costs.sum()

    relaxed = solve_price(gains, costs, budget)
    whole = choose_ways(
        np.column_stack([np.zeros(60), gains]), np.column_stack([np.zeros(60), costs]), budget
    )
    by_threshold = np.where(gains > relaxed.price * costs, gains, 0.0).sum()

    assert by_threshold - 1e-9 <= whole.gain <= relaxed.gain + 1e-9
    assert relaxed.gain - by_threshold <= gains.max()


@pytest.mark.parametrize(
    ("valves", "words"),
    [
        (SafetyValves(least_share=1.5), "least_share"),
        (SafetyValves(must_think=(3,)), "beyond the 3 x 3"),
        (SafetyValves(thinking=(5,)), "beyond the 3 x 3"),
    ],
)
def test_valves_that_mean_nothing_are_refused(valves: SafetyValves, words: str):
    with pytest.raises(ConfigurationError, match=words):
        choose_ways(GAINS, COSTS, 100, valves)


def test_tables_that_do_not_belong_together_are_refused():
    with pytest.raises(InvalidInputError, match="one cost for each gain"):
        choose_ways(GAINS, COSTS[:2], 100)
    with pytest.raises(InvalidInputError, match="no finite number"):
        choose_ways([[0.0, float("nan")]], [[0, 1]], 100)
