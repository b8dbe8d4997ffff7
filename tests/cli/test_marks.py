import math

import pytest

from adaptive_reasoner.cli.marks import aligned, mark_of, marked_lines


@pytest.mark.parametrize(
    ("entropy_nats", "bar"),
    [(0.0, "▁"), (0.049, "▁"), (0.05, "▂"), (0.2, "▄"), (0.99, "▆"), (1.0, "█"), (7.0, "█"), (math.nan, "█")],
)
def test_bar_grows_with_entropy(entropy_nats: float, bar: str) -> None:
    assert mark_of(entropy_nats).bar == bar


def test_bars_stand_under_their_tokens() -> None:
    answer, bars = marked_lines([("Answer", 0.0), (":", 0.1), (" 4", 0.7), ("2", 1.5)], 40, ascii_only=False)
    assert answer.plain == "Answer: 42"
    assert bars.plain == "▁▁▁▁▁▁▂ ▆█"


def test_bars_are_readable_in_ascii() -> None:
    _, bars = marked_lines([("Answer", 0.0), (":", 0.1), (" 4", 0.7), ("2", 1.5)], 40, ascii_only=True)
    assert bars.plain == "______. =#"


def test_wide_characters_get_wide_bars() -> None:
    answer, bars = marked_lines([("日本", 0.3)], 40, ascii_only=False)
    assert (answer.plain, bars.plain) == ("日本", "▄▄▄▄")


def test_long_answers_wrap_between_tokens() -> None:
    lines = [
        line.plain for line in marked_lines([("one", 0.0), (" two", 0.3), (" six", 0.0)], 8, ascii_only=True)
    ]
    assert lines == ["one two", "___ ---", "six", "___"]


def test_line_breaks_inside_tokens_end_the_line() -> None:
    lines = [line.plain for line in marked_lines([("a\n\nb", 0.0), ("\n", 0.0)], 8, ascii_only=True)]
    assert lines == ["a", "_", "b", "_"]


def test_pieces_of_a_split_character_become_the_character_at_their_highest_entropy() -> None:
    tokens = [("so ", 0.1), ("\\xf0\\x9f", 0.4), ("\\x98\\x80", 0.9), (" fine", 0.2)]
    assert aligned("so 😀 fine", tokens) == [("so ", 0.1), ("😀", 0.9), (" fine", 0.2)]


def test_a_split_character_at_the_end_is_kept() -> None:
    assert aligned("a😀", [("a", 0.1), ("\\xf0\\x9f", 0.4), ("\\x98\\x80", 0.3)]) == [("a", 0.1), ("😀", 0.4)]
