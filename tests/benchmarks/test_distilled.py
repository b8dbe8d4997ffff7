"""The policies that a student's orders are compared by, and the gate on its rationales, on hand-made answers."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from measuring.distilled import Said, Student, perception_figures, policies, table
from measuring.rationale_gate import Explained, contradictions, judge


def said(right: list[bool], tokens: list[float]) -> Said:
    return Said(np.array(right), np.array(tokens))


def student(**answers: Said) -> Student:
    about: dict[str, Any] = {"auto": {"perception": {}}}
    runtime: Any = None
    logits = np.array([-1.0, 2.0, 0.5, -0.5])
    return Student("both", about, runtime, answers, logits, threshold=0.0)


THINK = said([True, True, False, True], [40.0, 60.0, 80.0, 60.0])
ANSWER = said([True, False, False, False], [5.0, 5.0, 5.0, 5.0])
BOTH = student(think_first=THINK, answer_first=ANSWER)
SINGLES = {"think_first": student(think_first=THINK), "answer_first": student(answer_first=ANSWER)}


def test_each_policy_is_right_and_pays_as_its_choice_says() -> None:
    found = policies(BOTH, SINGLES)
    assert found["think first only"].tokens.mean() == 60.0
    assert found["adaptive"].right.tolist() == [True, True, False, False]
    assert found["adaptive"].tokens.tolist() == [6.0, 61.0, 81.0, 6.0]  # the choice is a token, too
    assert found["oracle order"].right.tolist() == [True, True, False, True]
    assert found["oracle order"].tokens.tolist() == [6.0, 61.0, 6.0, 61.0]
    assert found["fixed mix"].right.tolist() == [1.0, 0.5, 0.0, 0.5]
    assert found["fixed mix"].tokens.tolist() == [22.5, 32.5, 42.5, 32.5]


def test_the_table_pairs_every_policy_with_adaptive() -> None:
    problems: Any = [SimpleNamespace(level=1 + index // 2) for index in range(12)]
    found = policies(BOTH, SINGLES)
    more = {name: Said(np.tile(one.right, 3), np.tile(one.tokens, 3)) for name, one in found.items()}
    rows = {row["policy"]: row for row in table(more, problems)}
    assert rows["adaptive"]["adaptive_leads_by"]["difference"] == 0.0
    assert rows["think first only"]["token_share_of_think_first"] == 1.0
    assert rows["answer first only"]["by_steps"]["1"]["share"] == 0.5
    assert rows["answer first only"]["adaptive_leads_by"]["difference"] == pytest.approx(0.25)


def test_perception_is_held_against_the_oracle() -> None:
    figures = perception_figures(BOTH)
    assert (figures["thinks"], figures["oracle_thinks"]) == (0.5, 0.5)
    assert figures["agrees_with_oracle"] == 0.5
    assert figures["gap_mix_to_oracle_closed"] == 0.0  # 2 of 4 right, as the coin; the oracle has 3


def explained(rationales: list[str], values: list[int | None], right: list[bool]) -> Explained:
    count = len(values)
    entropies = np.linspace(0.1, 1.0, count)
    return Explained(
        np.array(right), values, entropies, rationales, np.full(count, 5.0), np.full(count, 30.0)
    )


def test_work_contradicts_or_leads_to_its_answer() -> None:
    work = "plan: a: 2 + 3. work: a: 2 + 3 = 5. check: a: 5 - 3 = 2 ok."
    given = explained([work, work, "nothing", work], [5, 2, 5, None], [True] * 4)
    found = contradictions(given, "whole")
    assert found[:2].tolist() == [0.0, 1.0]  # the check's own result is no way to the answer
    assert np.isnan(found[2:]).all()


def test_a_rationale_that_was_cut_before_its_work_tells_nothing() -> None:
    given = explained(["plan: a: 2 + 3. work: a: 2 + 3 = 5."], [5], [True])
    assert np.isnan(contradictions(given, "cut to 40 %")[0])


def test_agreement_pays_for_every_rationale_and_entropy_for_none() -> None:
    right = [True] * 10 + [False] * 10
    work = ["work: a: 2 + 3 = 5."] * 10 + ["work: a: 2 + 3 = 5."] * 10
    given = explained(work, [5] * 10 + [6] * 10, right)
    think = said([True] * 20, [50.0] * 20)
    figures, curves = judge(given, given, think, "whole")
    assert figures["auroc_for_wrong"]["agreement"]["auroc"] == 1.0
    assert figures["wrong_if_contradicted"]["share"] == 1.0
    assert figures["wrong_if_agreed"]["share"] == 0.0
    assert curves["entropy"][0] == (5.0, 0.5)
    assert curves["agreement"][0] == (30.0, 0.5)
    assert curves["both"][10] == (55.0, 1.0)
    assert curves["both"][-1] == (80.0, 1.0)
