"""What counts as a right answer."""

import pytest

from adaptive_reasoner.training.guider.checker import is_right
from adaptive_reasoner.training.ibpo.task import Task


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (" a: 7 * 6 = 42.Answer: 42", "42"),
        ("So the answer is 42 dollars.", "42"),
        ("The answer is $1,250.00", "1250"),
        (r"We get \boxed{\frac{1}{2}} … no, \boxed{0.5}", "1/2"),
        ("#### -3", "-3.0"),
        ("Answer: 3 + 4 = 7", "7"),
        ("<think>Answer: 1</think>Answer: 2", "2"),
        ("Paris", "paris."),
        ("Answer: 42", "he has 12 left #### 42"),
    ],
)
def test_an_answer_is_right_however_it_is_written(response: str, answer: str) -> None:
    assert is_right(response, Task("", answer))


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("Answer: 43", "42"),
        ("Answer: 42 or 43", "42"),
        ("Answer: none", "42"),
        ("", "42"),
        ("Answer: 1/0", "1"),
        ("Answer: Paris, Texas", "Paris"),
        ("Answer: 4.2", "42"),
    ],
)
def test_an_answer_is_wrong(response: str, answer: str) -> None:
    assert not is_right(response, Task("", answer))
