"""The overview's figures against those computed by hand, and the page that shows them."""

import re

import pytest
from recorded_runs import judged, run, usage

from adaptive_reasoner.traces.overview import overview
from adaptive_reasoner.traces.page import page, write_page
from adaptive_reasoner.traces.plots import Line, Plot, describe, draw, shown
from adaptive_reasoner.traces.store import TraceStore
from adaptive_reasoner.traces.store.aggregates import window_width
from adaptive_reasoner.traces.store.reading import Chosen

SURE = judged("fast", "accept", risk=0.1, usage=usage(10, 0.01))
DOUBTED = (
    judged("fast", "escalate", "41", risk=0.6, usage=usage(10, 0.01)),
    judged("deep", "accept", "42", risk=0.25, usage=usage(90, None)),
)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "runs.sqlite"
    with TraceStore(f"sqlite:///{path}") as store:
        for index in range(8):
            store.record(run(720 * index, SURE, tenant="acme", question="<b>Easy</b>?"))
        store.record(run(60, *DOUBTED, rationale_agreement=0.0))
        store.record(run(61, *DOUBTED, rationale_agreement=1.0))
        store.record(run(62, judged("deep", "give_up", "7", risk=0.95)))
        store.record({"run_id": "run-0", "correct": False})
        for name in ("run-720", "run-1440"):
            store.record({"run_id": name, "correct": True})
        store.record({"run_id": "run-60", "answer": "43"})
        store.flush()
        return overview(store.database)


def test_rates_are_counted_over_what_they_are_rates_of(figures):
    counts = {name: (one["events"], one["trials"]) for name, one in figures["triggers"].items()}
    assert counts["escalated"] == (2, 10)  # one run began with thinking
    assert counts["gave_up"] == (1, 11)
    assert (figures["thinking"]["events"], figures["runs"]) == (3, 11)
    assert (figures["error"]["events"], figures["error"]["trials"]) == (2, 4)
    assert figures["verdicts"] == {"accept": 10, "give_up": 1}


def test_calibration_sets_predictions_beside_what_came(figures):
    assert figures["calibration"]["predicted"] == pytest.approx((0.1 * 3 + 0.25) / 4)
    bins = [(one["from"], round(one["risk"], 6), one["wrong"]["events"]) for one in figures["reliability"]]
    assert bins == [(0.1, 0.1, 1), (0.2, 0.25, 1)]


def test_rationales_are_set_against_what_was_wrong(figures):
    rationale = figures["rationale"]
    assert (rationale["agreed"]["events"], rationale["agreed"]["trials"]) == (1, 2)
    assert (rationale["error_where_not"]["events"], rationale["error_where_not"]["trials"]) == (1, 1)
    assert rationale["error_where_agreed"]["mean"] is None


def test_unknown_costs_are_counted_and_not_taken_for_free(figures):
    spend = figures["spend"]
    assert spend["known_usd"] == pytest.approx(0.08)
    assert spend["usd_a_run"] == pytest.approx(0.08 / 9)
    assert spend["runs_of_unknown_cost"] == 2
    assert figures["tokens"] == {"mean": pytest.approx(290 / 11), "p50": 10, "p95": 100, "p99": 100}


def test_windows_add_up_to_the_whole(figures):
    assert sum(one["runs"] for one in figures["windows"]) == 11
    assert figures["window_seconds"] == 6 * 3600
    assert [one["from"][:13] for one in figures["windows"]][:3] == [
        "2026-01-01T00",
        "2026-01-01T12",
        "2026-01-02T00",
    ]
    assert {one["name"]: one["runs"] for one in figures["tenants"]} == {"acme": 8, None: 3}


def test_the_worst_questions_are_those_that_passed_for_sure(figures):
    worst = figures["worst"]
    assert [one["run_id"] for one in worst["sure_and_wrong"]] == ["run-0", "run-60"]
    assert [one["run_id"] for one in worst["contradicted_by_its_rationale"]] == ["run-60"]
    assert worst["most_doubted"][0]["run_id"] == "run-62"
    assert worst["most_doubted"][0]["risk"] == 0.95
    assert len([one for one in worst["most_tokens"] if one["question"] == "<b>Easy</b>?"]) == 1


def test_an_overview_of_no_run_says_so(tmp_path):
    with TraceStore(f"sqlite:///{tmp_path / 'runs.sqlite'}") as store:
        assert overview(store.database, Chosen(tenant="nobody")) == {"runs": 0}


@pytest.mark.parametrize(("days", "width"), [(0, 60), (1, 3600), (50, 86400), (300, 7 * 86400)])
def test_windows_are_as_wide_as_a_person_would_choose(days, width):
    assert window_width(0.0, days * 86400.0) == width
    assert window_width(0.0, 1e10) * 64 >= 1e10


def test_the_page_needs_no_network_and_escapes_texts(figures, tmp_path):
    write_page(
        {"overview": figures, "runs": 11, "labelled": 4, "advice": [], "notes": ["a < b"]},
        tmp_path / "a.html",
    )
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<b>Easy" not in text
    assert "&lt;b&gt;Easy&lt;/b&gt;?" in text
    assert "a &lt; b" in text
    assert re.findall(r"https?://|<script|src=|@import", text) == []
    assert "prefers-color-scheme: dark" in text


def test_every_plot_is_said_in_words(figures):
    text = page({"overview": figures, "runs": 11, "labelled": 4})
    drawn = re.findall(r'<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)">', text)
    assert len(drawn) == 7
    for title, description in drawn:
        assert f'<title id="{title}">' in text
        assert re.search(f'<desc id="{description}">[^<]+<', text)
    assert len(set(re.findall(r' id="([^"]+)"', text))) == len(re.findall(r' id="', text))


def test_a_plot_leaves_gaps_where_nothing_is_known():
    plot = Plot("Shares", ["a", "b", "c", "d"], [Line("x", [0.1, 0.2, None, 0.4])])
    drawn = draw(plot, "p")
    assert drawn.count("<polyline") == 1
    assert drawn.count("<circle") == 1
    assert describe(plot) == "a to d. x: from 10.0% to 40.0%, between 10.0% and 40.0%."
    assert "unknown" in draw(Plot("Shares", ["a"], [Line("x", [None])]), "p")
    assert (shown(None, "%"), shown(1234.0, "USD"), shown(0.00012, "")) == ("unknown", "1,234 USD", "0.00012")
