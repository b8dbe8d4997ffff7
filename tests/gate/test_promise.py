import numpy as np

from adaptive_reasoner.gate.promise import find_threshold, least_accepted


def test_the_least_number_to_accept_is_counted_without_an_error():
    # .95 ** 72 < .1 / 4 < .95 ** 71
    assert least_accepted(0.05, 0.1) == 72


def test_answers_that_are_all_right_are_all_accepted():
    promise = find_threshold(np.linspace(0, 1, 400), np.zeros(400, bool), max_error=0.05, failure=0.1)

    assert promise is not None
    assert (promise.threshold, promise.accepted, promise.wrong) == (1.0, 400, 0)


def test_too_few_answers_promise_nothing():
    assert find_threshold(np.linspace(0, 1, 71), np.zeros(71, bool), max_error=0.05, failure=0.1) is None


def test_answers_that_are_all_wrong_promise_nothing():
    assert find_threshold(np.linspace(0, 1, 400), np.ones(400, bool), max_error=0.05, failure=0.1) is None


def test_equal_risks_are_accepted_together_or_not_at_all():
    risks = np.array([0.1] * 300 + [0.5] * 300)
    wrong = np.array([False] * 300 + [True] * 150 + [False] * 150)

    promise = find_threshold(risks, wrong, max_error=0.05, failure=0.1)

    assert promise is not None
    assert (promise.threshold, promise.accepted) == (0.1, 300)


def test_the_promise_is_broken_no_more_often_than_allowed():
    generator = np.random.default_rng(1)
    broken = 0
    for _ in range(300):
        risks = generator.uniform(0, 0.4, size=400)
        wrong = generator.random(400) < risks
        promise = find_threshold(risks, wrong, max_error=0.1, failure=0.1)
        # among risks below t the true error is t / 2
        broken += promise is not None and promise.threshold / 2 > 0.1

    assert broken <= 40  # 30 expected at the most; 40 is two standard errors above


def test_the_threshold_keeps_most_of_what_it_could():
    generator = np.random.default_rng(2)
    risks = generator.uniform(0, 0.4, size=4000)

    promise = find_threshold(risks, generator.random(4000) < risks, max_error=0.1, failure=0.1)

    assert promise is not None
    assert promise.threshold > 0.15  # .2 keeps the error at .1 exactly
