import numpy as np

from adaptive_reasoner.gate.promise import Promise, find_threshold, least_accepted, plan_thresholds

GRID = [0.1, 0.2, 0.3, 1.0]


def passing(risks, wrong, thresholds, max_error=0.05) -> Promise | None:
    return find_threshold(risks, wrong, thresholds, max_error=max_error, failure=0.1)


def test_the_least_number_to_accept_is_counted_without_an_error():
    # .95 ** 45 < .1 < .95 ** 44
    assert least_accepted(0.05, 0.1) == 45


def test_answers_that_are_all_right_are_all_accepted():
    assert passing(np.linspace(0, 0.3, 400), np.zeros(400, bool), GRID) == Promise(1.0, 400, 0)


def test_too_few_answers_promise_nothing():
    assert passing(np.linspace(0, 1, 44), np.zeros(44, bool), [1.0]) is None


def test_answers_that_are_all_wrong_promise_nothing():
    assert passing(np.linspace(0, 1, 400), np.ones(400, bool), GRID) is None


def test_testing_stops_at_the_first_threshold_that_fails():
    risks = np.array([0.1] * 100 + [0.25] * 100 + [0.5] * 10_000)
    wrong = np.array([False] * 100 + [True] * 100 + [False] * 10_000)

    # everything together would pass: 100 of 10200 are wrong; but .3 comes first, and half of that is wrong
    assert passing(risks, wrong, GRID) == Promise(0.2, 100, 0)


def test_the_likeliest_threshold_is_tested_first_and_bolder_ones_after_it():
    risks = np.concatenate([np.linspace(0, 0.001, 500), np.linspace(0.9, 1, 500)])

    planned = plan_thresholds(risks, max_error=0.1, tested=1000)

    # half of them without an error is the strongest evidence there is
    assert 0.0009 < planned[0] <= 0.001
    assert planned == sorted(planned)
    assert planned[-1] == 1.0


def test_equal_risks_are_accepted_together_or_not_at_all():
    risks = np.array([0.01] * 300 + [0.25] * 300)
    wrong = np.array([False] * 300 + [True] * 150 + [False] * 150)

    planned = plan_thresholds(risks, max_error=0.05, tested=600)

    assert planned == [0.01, 0.25, 1.0]
    assert passing(risks, wrong, planned) == Promise(0.01, 300, 0)


def split(generator, count):
    """Answers to plan with and answers to test with, whose risks are what they say, evenly in 0 to .4."""
    risks = generator.uniform(0, 0.4, size=(2, count))
    return risks, generator.random((2, count)) < risks


def promised(generator, count, max_error=0.1) -> Promise | None:
    risks, wrong = split(generator, count)
    planned = plan_thresholds(risks[0], max_error=max_error, tested=count)
    return passing(risks[1], wrong[1], planned, max_error)


def test_the_promise_is_broken_no_more_often_than_allowed():
    generator = np.random.default_rng(1)
    promises = [promised(generator, 400) for _ in range(300)]

    # among risks below t the true error is t / 2; thresholds above .4 accept everything
    broken = sum(promise is not None and min(promise.threshold, 0.4) / 2 > 0.1 for promise in promises)

    assert broken <= 40  # 30 expected at the most; 40 is two standard errors above


def test_the_threshold_keeps_most_of_what_it_could():
    promise = promised(np.random.default_rng(2), 4000)

    assert promise is not None
    assert promise.threshold > 0.15  # .2 keeps the error at .1 exactly
