"""A row is stuck once it repeats one token."""

import numpy as np

from adaptive_reasoner.decoding import stuck_rows


def test_only_an_unbroken_run_at_the_end_is_stuck() -> None:
    generated = np.array([[5, 7, 7, 7], [7, 7, 7, 5], [7, 5, 7, 7], [7, 7, 7, 7]])
    assert stuck_rows(generated, 3).tolist() == [True, False, False, True]


def test_an_answer_shorter_than_the_limit_is_not_stuck() -> None:
    assert stuck_rows(np.array([[7, 7], [7, 7]]), 3).tolist() == [False, False]
    assert stuck_rows(np.zeros((2, 0), int), 1).tolist() == [False, False]
