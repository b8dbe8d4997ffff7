"""Right answers over wrong ones, from whom the run wants them."""

import pytest

from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.training.guider.config import Writer
from adaptive_reasoner.training.guider.pairs import make_pairs, right_answers
from adaptive_reasoner.training.guider.sample import Sample


def drawn(prompt: int, *answers: str) -> list[Sample]:
    """Answers to one prompt; those in capitals are right."""
    return [Sample(prompt, text, text.isupper(), 1) for text in answers]


SAMPLES: dict[Writer, list[Sample]] = {
    "target": [*drawn(0, "T", "t", "t"), *drawn(1, "u", "u"), *drawn(2, "V", "V")],
    "guider": [*drawn(0, "g", "g"), *drawn(1, "H", "h"), *drawn(2, "i", "i")],
}


def test_mixed_pairs_set_one_models_right_answer_over_the_others_wrong_one() -> None:
    pairs = make_pairs(SAMPLES, "mixed", 100, 4, seed=0)
    found = {(pair.prompt, pair.chosen, pair.rejected, pair.chosen_by, pair.rejected_by) for pair in pairs}
    assert (
        len(pairs) == len(found) == 2
    )  # the guider is right over the target once, so the other kind counts once
    assert (1, "H", "u", "guider", "target") in found
    assert found & {(0, "T", "g", "target", "guider"), (2, "V", "i", "target", "guider")}


def test_one_models_pairs_are_its_own() -> None:
    assert [(p.prompt, p.chosen, p.rejected) for p in make_pairs(SAMPLES, "target", 9, 4, 0)] == [
        (0, "T", "t")
    ]
    assert [(p.prompt, p.chosen, p.rejected) for p in make_pairs(SAMPLES, "guider", 9, 4, 0)] == [
        (1, "H", "h")
    ]


def test_pairs_are_limited_by_prompt_and_in_all() -> None:
    many: dict[Writer, list[Sample]] = {
        "guider": [s for prompt in range(5) for s in drawn(prompt, "A", "B", "C", "a", "b", "c")]
    }
    assert len(make_pairs(many, "guider", 100, 2, seed=0)) == 10
    assert len(make_pairs(many, "guider", 7, 2, seed=0)) == 7
    assert make_pairs(many, "guider", 7, 2, seed=0) == make_pairs(many, "guider", 7, 2, seed=0)
    assert make_pairs(many, "guider", 7, 2, seed=0) != make_pairs(many, "guider", 7, 2, seed=1)


def test_right_answers_count_once_each() -> None:
    found = right_answers(SAMPLES, 100, 2, seed=0)
    assert sorted((sample.prompt, sample.text) for sample in found) == [(0, "T"), (1, "H"), (2, "V")]


def test_samples_without_a_pair_are_refused() -> None:
    wrong: dict[Writer, list[Sample]] = {"target": drawn(0, "t"), "guider": drawn(0, "G")}
    with pytest.raises(InvalidInputError, match="a right answer of the target and a wrong one of the guider"):
        make_pairs(wrong, "mixed", 10, 2, seed=0)
    with pytest.raises(InvalidInputError, match="No sample is right"):
        right_answers({"target": drawn(0, "t")}, 10, 2, seed=0)
