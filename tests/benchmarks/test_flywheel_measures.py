"""What the flywheel's benchmark draws, and how it compares before with after."""

from measuring.shifted import LOOKUP, draw_traffic
from measuring.turned import Setting, as_table, live_differs, measure


def test_the_share_of_lookups_is_what_was_asked_for():
    drawn = draw_traffic("calibration", 60, 0, 1.0, "lookup")
    assert len({one.question for one in drawn}) == 60
    assert {one.family for one in drawn} == set(LOOKUP)
    mixed = draw_traffic("calibration", 200, 0, 0.5, "lookup")
    assert 0.6 < sum(one.family in LOOKUP for one in mixed) / 200 < 0.8  # 2 of 5 families of the other half


def test_other_words_keep_the_answer():
    plain, moved = (draw_traffic("test", 30, 1, share) for share in (0.0, 1.0))
    assert [one.answer for one in plain] == [one.answer for one in moved]
    assert sum(a.question != b.question for a, b in zip(plain, moved, strict=True)) > 15


def test_changes_are_paired_and_against_the_first_setting():
    rows = [[(1.0, 100.0, 1.0), (0.0, 60.0, 1.0)], [(0.0, 50.0, 0.0), (0.0, 10.0, 0.0)]] * 20
    made = measure(as_table(rows), ["before", "after"], 0)
    assert "change" not in made["before"]
    change = made["after"]["change"]
    assert (change["tokens"]["mean"], change["tokens"]["interval"]) == (-40.0, (-40.0, -40.0))
    assert change["error"]["mean"] == -0.5
    assert (made["before"]["tokens"]["mean"], made["questions"]) == (75.0, 40)


def test_answers_made_beforehand_go_the_live_models_way(shipped_weights):
    """Refinements among them, which the gate would escalate if their log probabilities were lost."""
    problems = draw_traffic("calibration", 4, 0, 1.0, "lookup")
    assert live_differs(problems, Setting()) == 0
