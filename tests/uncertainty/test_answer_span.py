import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.uncertainty import find_answer_span
from adaptive_reasoner.uncertainty.spans import find_answer_ranges

LONG = "The train leaves at noon and needs three hours for the way to the coast and back again. "


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Answer: 42", "42"),
        ("Answer: 42.", "42"),
        (LONG + "\n\n**Answer:** x = 7\n", "x = 7"),
        (LONG + "\n**Final answer: 12**", "12"),
        (LONG + "\nFinal answer:\n\n  12 apples\n", "12 apples"),
        (LONG + "\nAnswer: 42. This is because of the coast, as said.", "42"),
        (LONG + "\nAnswer: Dr. Smith", "Dr. Smith"),
        (LONG + "\nThe answer is $18.", "18"),
        (LONG + "\nSo the correct answer is (C).", "C"),
        (LONG + "\nAnswer: B) Paris", "B"),
        (LONG + "\n#### 3.5", "3.5"),
        (LONG + "Hence \\boxed{\\frac{1}{2}}.", "\\frac{1}{2}"),
        ("{'sol': 'd'}", "d"),
        ("Input: the facial nerve a) b) \nOutput: {'sol': 'a'}", "a"),
        ('{"reasoning": "3 + 4", "answer": 7}', "7"),
        ('```json\n{"answer": "Paris"}\n```', "Paris"),
        ('{"city": "Paris"}', "Paris"),
        ("Answer: 1\nNo, wait.\nAnswer: 2", "2"),
        ("<think>Answer: 1 maybe?</think>The answer is 2.", "2"),
        ("B", "B"),
        ("(c)", "c"),
        ("Paris.", "Paris"),
        ("**Paris**", "Paris"),
        ("答え：42", "42"),  # noqa: RUF001
        ("答えは42です。", "答えは42です"),
        (LONG + LONG + "\nTherefore she pays 18 dollars.", "Therefore she pays 18 dollars"),
        (LONG + LONG, LONG + LONG),
        ("", ""),
        ("...", "..."),
        ("{'sol': d}", "d"),
        ("Output: {sol: 'd'}", "d"),
        ("```python\n{'sol': 'd'}\n```", "d"),
        ("{'sol': ['d']}", "d"),
        (LONG + "$\\boxed{\\text{(B)}}$", "B"),
        (LONG + "\\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{1}{\\sqrt{2}}"),
        (LONG + "\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
        (LONG + "\\boxed{\\text{twelve}} m", "twelve"),
        (LONG + "\\fbox{7}", "7"),
        (LONG + "\\boxed 7", "7"),
        (LONG + "\\boxed{1} or \\boxed{12", "1"),
        ("Answer: \\boxed{}", "\\boxed{}"),
        ("<answer>42</answer>", "42"),
        (LONG + "<think>\nHm.\n</think>\n<Answer>\n12 apples\n</Answer>", "12 apples"),
        (LONG + "<answer>(C)</answer>", "C"),
        ("Option B", "B"),
        ("Choice: C", "C"),
        (LONG + "\nI would choose B.", "B"),
        (LONG + "\n\n**C**", "C"),
        (LONG + "\n\n(D)", "D"),
        (LONG + "\n答案是B。", "B"),
        (LONG + "\nI", "I"),
        (LONG + "\nwe see a", LONG + "\nwe see a"),
        ("### Answer\n\n42", "42"),
        (LONG + "\n## Final Answer\n**12 m/s**", "12 m/s"),
        (LONG + "\n---\n**Answer**\n\n7", "7"),
        ("Answer:\n```\n42\n```", "42"),
        ("Answer:\n$$\nx = 5\n$$", "x = 5"),
        ("The answer is: \\( 5 \\)", "5"),
        ("Ans: 42", "42"),
        (LONG + "\n\n42", "42"),
        (LONG + "\n\n**$42.50**", "42.50"),
        (LONG + "\n\n\\[x = 5\\]", "x = 5"),
        (LONG + "\nAnswer: B\n\nConfidence: 90%", "B"),
    ],
)
def test_auto_finds_the_answer(text: str, answer: str):
    start, end = find_answer_span(text)

    assert text[start:end] == answer


def test_auto_takes_every_value_of_an_object_without_an_answer_field():
    text = '{"city": "Paris", "population": 2100000, "capital": true}'

    assert [text[start:end] for start, end in find_answer_ranges(text)] == ["Paris", "2100000", "true"]


def test_whole_is_the_whole_text():
    assert find_answer_span("Answer: 42", "whole") == (0, 10)


def test_a_pattern_gives_its_first_group():
    assert find_answer_span("x = 1, y = 2", r"y = (\d)") == (11, 12)


def test_a_pattern_without_a_group_gives_its_last_match():
    assert find_answer_span("1 then 2", r"\d") == (7, 8)


@pytest.mark.parametrize("answer_span", [r"z = (\d)", r"(z)?", lambda _: None, lambda _: (5, 99)])
def test_what_finds_nothing_falls_back_on_the_whole_text(answer_span: object):
    assert find_answer_span("x = 1", answer_span) == (0, 5)


def test_a_callable_decides():
    assert find_answer_span("x = 1", lambda text: (text.index("1"), 5)) == (4, 5)


def test_a_malformed_pattern_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="not a regular expression"):
        find_answer_span("x", "(")


@given(st.text(max_size=300))
def test_any_text_has_a_span_within_it(text: str):
    start, end = find_answer_span(text)

    assert 0 <= start <= end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "answer: " * 50_000,
        "answer: **\n" * 50_000,
        "{" * 100_000,
        "\\boxed{" * 50_000,
        "\\boxed " * 50_000,
        '"a":' * 50_000,
        "<answer>" * 50_000,
        "</answer>" * 50_000,
        "**" * 100_000,
        "## answer " * 50_000,
        "," + " " * 200_000,
        "\\(" * 100_000,
    ],
)
def test_a_hostile_text_does_not_stall(text: str):
    start, end = find_answer_span(text)

    assert 0 <= start <= end <= len(text)
