import numpy as np
import pytest

from adaptive_reasoner.config import Situation
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.gate.curve import read_curve
from adaptive_reasoner.gate.pricing import expected_loss
from adaptive_reasoner.state import Mode, Signal
from adaptive_reasoner.training.embedded.calibrate_answers import Answer
from adaptive_reasoner.training.embedded.calibrate_policy import Case, run_policy, totals
from adaptive_reasoner.training.embedded.calibrate_profile import fit_risks, smooth_curve
from adaptive_reasoner.training.embedded.calibrate_setting import (
    PRICES,
    best_at_price,
    choose_price,
    cross_fit,
    settings_by_price,
)
from adaptive_reasoner.uncertainty.score import score_tokens
from adaptive_reasoner.uncertainty.tokens import TokenLogprob


def signal_of(probability: float) -> Signal:
    rest = 1 - probability
    top = [("4", float(np.log(probability))), ("5", float(np.log(rest)))]
    return score_tokens([TokenLogprob("4", top[0][1], top)])


def made_up_cases(count: int, *, refine_rate: float) -> list[Case]:
    """Fast answers that are honest about their doubt; refining mends `refine_rate` of the wrong, deep 97 %."""
    rng = np.random.default_rng(3)
    cases: list[Case] = []
    for index in range(count):
        sure = float(rng.uniform(0.02, 0.98))
        fast_right = bool(rng.random() < sure)
        refined = fast_right or bool(rng.random() < refine_rate)
        rows: dict[Mode, tuple[bool, int, float]] = {
            "fast": (fast_right, 5, sure),
            "refine": (refined, 15, float(np.clip(rng.normal(0.8 if refined else 0.5, 0.15), 0.02, 0.98))),
            "deep": (bool(rng.random() < 0.97), 80, 0.97),
        }
        answers = {
            mode: Answer("Answer: 4", right, tokens, 0, signal_of(p), np.empty((0, 21), dtype=np.float32))
            for mode, (right, tokens, p) in rows.items()
        }
        cases.append(Case(Problem(f"What is {index} + {index + 1}?", 1, 1, "expression"), answers))
    return cases


CASES = made_up_cases(1500, refine_rate=0.6)


def test_smooth_curve_is_the_mean_of_the_neighbours():
    risk = np.linspace(0, 1, 1001)
    curve = np.array(smooth_curve(risk, 2 * risk))
    inner = curve[1:-1]
    assert inner[:, 1] == pytest.approx(2 * inner[:, 0], abs=1e-9)
    assert np.all(np.diff(curve[:, 0]) > 0)


def test_smooth_curve_of_one_risk_is_one_mean():
    assert smooth_curve(np.full(10, 0.2), np.arange(10.0)) == ((pytest.approx(0.2), pytest.approx(4.5)),)


def test_risk_is_calibrated():
    models = fit_risks(CASES)
    risk = models.risks(CASES, "fast")
    wrong = np.array([not case.answers["fast"].is_right for case in CASES])
    for low, high in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        inside = (risk >= low) & (risk < high)
        assert wrong[inside].mean() == pytest.approx(risk[inside].mean(), abs=0.06)


def test_free_tokens_think_and_dear_ones_accept():
    models = fit_risks(CASES)
    situation = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False)
    doubted = signal_of(0.3)
    assert models.at_price(1e-6).decide(doubted, situation).verdict != "accept"
    assert models.at_price(0.1).modes["fast"].alternatives["refine"][-1][1] > 1.0
    assert models.at_price(0.1).decide(doubted, situation).verdict == "give_up"  # too risky to be called sure


def test_a_price_between_refines_first_and_thinks_where_that_fails():
    gate = fit_risks(CASES).at_price(3e-3)
    paths = {run_policy(case, gate).path for case in CASES}
    assert ("fast",) in paths
    assert ("fast", "refine") in paths
    assert ("fast", "refine", "deep") in paths


def test_without_refining_the_profile_only_thinks():
    gate = fit_risks(CASES).at_price(1e-3, ways=("escalate",))
    assert all("refine" not in run_policy(case, gate).path for case in CASES)


def test_another_price_makes_of_a_profile_the_one_of_that_price():
    models = fit_risks(CASES)
    cheap, dear = models.at_price(1e-4).modes["fast"], models.at_price(3e-3).modes["fast"]
    situation = Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False, price=dear.price)

    for risk in (0.05, 0.3, 0.7):
        repriced = expected_loss("escalate", risk, cheap, situation)
        assert repriced == pytest.approx(read_curve(dear.alternatives["escalate"], risk))
    assert dear.price.per_1000_tokens == 3.0
    assert read_curve(dear.tokens["escalate"], 0.5) == pytest.approx(80)
    assert (
        15 < read_curve(dear.tokens["refine"], 0.9) < 15 + 80
    )  # some of the refined answers think after all


def test_dearer_tokens_spend_fewer_of_them():
    models = fit_risks(CASES)
    spent = [
        totals([run_policy(case, models.at_price(price)) for case in CASES]).mean_tokens
        for price in (1e-5, 1e-3, 1e-2)
    ]
    assert spent == sorted(spent, reverse=True)


FOLDS = cross_fit(CASES)
LINE = settings_by_price(FOLDS)


def test_the_chosen_price_keeps_the_target_on_held_out_folds():
    price = choose_price(LINE, 0.95)
    assert best_at_price(FOLDS, price)[1].accuracy >= 0.94
    assert choose_price(LINE, 0.97) < price
    assert choose_price(LINE, 1.0) == PRICES[0]


def test_triage_thinks_at_once_only_where_its_gain_reaches_the_bound():
    fold = FOLDS[0]
    start = fold.fast_first(1e-3)
    assert fold.mixed(start, 1.0).tokens.tolist() == start.tokens.tolist()
    at_once = fold.mixed(start, -1.0)
    assert at_once.tokens.tolist() == [80.0] * len(fold.cases)


def test_the_gain_bound_never_makes_the_loss_worse_than_without_triage():
    price = 1e-3
    setting, best = best_at_price(FOLDS, price)
    without = np.concatenate([fold.fast_first(price).tokens for fold in FOLDS])
    wrong = np.concatenate([1 - fold.fast_first(price).right for fold in FOLDS])
    assert 1 - best.accuracy + price * best.mean_tokens <= wrong.mean() + price * without.mean() + 1e-12
    assert setting.price == price
