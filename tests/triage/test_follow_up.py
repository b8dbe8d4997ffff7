"""Which turns lean on what was said before."""

import pytest

from adaptive_reasoner.triage import is_follow_up

LEANING = [
    "yes", "Yes, please.", "no", "ok", "okay!", "sure", "go on", "continue", "and then?", "and in euros?", "why?",
    "why not?", "what about Oslo?", "how about now?", "same for Rome", "again", "do it", "commit it", "run that",
    "thanks", "are you sure?", "but why?", "  yes  ", "more", "explain it", "So what is it?",
]  # fmt: skip
STANDING = [
    "", "   ", "What is 3 + 4?", "How much is it?", "Prove that there are infinitely many primes.", "3 + 4",
    "Andreas has 3 apples. How many has he?", "Nobel prize of 1921?", "Norway's capital?", "Soup of the day?",
    "and what would it be if we took the other road to Rome instead?", "Yesterday's weather?",
]  # fmt: skip


@pytest.mark.parametrize("text", LEANING)
def test_a_short_turn_that_refers_back_is_a_follow_up(text):
    assert is_follow_up(text)


@pytest.mark.parametrize("text", STANDING)
def test_a_question_of_its_own_is_none(text):
    assert not is_follow_up(text)
