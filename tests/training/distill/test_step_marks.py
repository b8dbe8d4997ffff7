"""Work that a person found a wrong step in is not learnt from; what was thought after the mark is."""

from typing import Any

from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.training.distill.card import card_text, make_card
from adaptive_reasoner.training.distill.dataset import Dataset, build_dataset
from adaptive_reasoner.training.distill.from_runs import candidates_from_runs

WRONG, RIGHT = "Six sevens are 41.", "Six sevens are 42."


def run(index: int, thoughts: list[str], answers: list[str], *, marked: int | None) -> Any:
    """A run of deep answers; `marked`: the round of whose thought the first step was marked as wrong."""
    rounds = [{"node": "deep_think", "verdict": "review"} for _ in answers]
    mark = {"round": marked, "step": 1, "text": WRONG, "kept": ""}
    report = {"rounds": rounds, "accepted_round": len(answers) - 1, "triage": {"source": "none"}}
    return {
        "run_id": f"r{index}", "question": f"What is 6 * 7, take {index}?", "answer": answers[-1],
        "answers": answers, "thoughts": thoughts, "report": report | ({} if marked is None else {"step_marks": [mark]}),
    }  # fmt: skip


def dataset_of(*records: Any) -> Dataset:
    return build_dataset(candidates_from_runs(label_runs(records, [])))


def test_the_work_done_anew_takes_the_place_of_the_marked_work() -> None:
    made = dataset_of(run(1, [WRONG, RIGHT], ["Answer: 41", "Answer: 42"], marked=0))
    assert [(one.rationale, one.answer) for one in made.examples] == [(RIGHT, "42")]
    assert (made.step_marks, made.drops) == ({"redone": 1}, {})


def test_marked_work_without_other_work_is_left_out_and_counted() -> None:
    made = dataset_of(
        run(1, [WRONG], ["Answer: 41"], marked=0),
        run(2, [WRONG, f"{WRONG} So be it."], ["Answer: 41", "Answer: 41"], marked=0),  # the step came again
        run(3, [RIGHT], ["Answer: 42"], marked=None),
    )
    assert [one.rationale for one in made.examples] == [RIGHT]
    assert (made.step_marks, made.drops) == ({"dropped": 2}, {"step_marked_wrong": 2})


def test_the_card_counts_the_marks() -> None:
    made = dataset_of(
        run(1, [WRONG, RIGHT], ["Answer: 41", "Answer: 42"], marked=0), run(2, [WRONG], ["41"], marked=0)
    )
    card = make_card(made)
    assert card["step_marks"] == {"redone": 1, "dropped": 1}
    assert "A person marked a step as wrong in 2: 1 hold the work that was done anew" in card_text(card)
    assert "step marked wrong" in card_text(card)
