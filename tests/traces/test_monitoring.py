"""The figures of recorded runs, counted by hand."""

import pytest
from recorded_runs import judged, run, usage

from adaptive_reasoner.gate import GateProfile
from adaptive_reasoner.traces import monitoring
from adaptive_reasoner.traces.expectations import drift, promise
from adaptive_reasoner.traces.labels import label_runs

SURE = judged("fast", "accept", risk=0.1)
DOUBTED = judged("fast", "escalate", "41", risk=0.6)
THOUGHT = judged("deep", "accept", risk=0.05)


def labelled(records, *right):
    """The runs, those with an answer in `right` labelled with it."""
    labels = [
        {"run_id": record["run_id"], "answer": answer}
        for record, answer in zip(records, right, strict=False)
        if answer
    ]
    return label_runs(records, labels)


def test_thinking_is_counted_with_its_interval_against_its_bounds():
    runs = labelled([run(i, SURE) for i in range(15)] + [run(15 + i, DOUBTED, THOUGHT) for i in range(5)])
    share = monitoring.thinking(runs)["share"]
    assert (share["events"], share["trials"], share["mean"]) == (5, 20, 0.25)
    assert monitoring.thinking(runs)["status"] == "no bound given"
    assert monitoring.thinking(runs, least_share=0.2, most_share=0.4)["status"] == "within"
    assert monitoring.thinking(runs, least_share=0.6)["status"] == "below the least share"
    assert monitoring.thinking(runs, most_share=0.05)["status"] == "above the most"


def test_the_bounds_are_those_that_the_runs_were_allocated_under():
    record = run(1, SURE)
    record["report"]["allocation"] = {"kind": "thinking_share", "most": 0.3, "least": 0.0, "share": 0.2}
    found = monitoring.thinking(labelled([record]))
    assert (found["most_share"], found["least_share"]) == (0.3, None)


def test_a_call_that_a_budget_forbade_is_no_thinking():
    refused = judged("deep", "give_up", "", kind="unknown", error="budget_exhausted", usage=usage(2))
    runs = labelled([run(1, DOUBTED, refused, accepted_round=0)])
    assert monitoring.thinking(runs)["share"]["mean"] == 0.0
    assert monitoring.spend(runs)["calls"]["total"] == 1


def test_routes_are_told_by_their_source():
    always = {"gain": 0.0, "difficulty": 0.5, "source": "rule", "reason": "always"}
    records = [run(1, SURE), run(2, DOUBTED, THOUGHT), run(3, THOUGHT, triage=always)]
    first, second = monitoring.routes(labelled(records, "42", "43"))
    assert (first["source"], first["runs"], first["began_thinking"]) == ("linear:tiny", 2, 0)
    assert first["thought"]["mean"] == 0.5
    assert first["error"]["mean"] == 0.5
    assert (second["source"], second["began_thinking"], second["error"]["mean"]) == ("rule", 1, None)


def test_predicted_risk_stands_beside_what_was_wrong():
    runs = labelled([run(1, SURE), run(2, DOUBTED, THOUGHT), run(3, SURE)], "42", "42")
    risk = monitoring.risks(runs)
    assert risk["fast"]["predicted"] == pytest.approx(0.35)
    assert (risk["fast"]["wrong"]["mean"], risk["fast"]["labelled"], risk["fast"]["answers"]) == (0.5, 2, 3)
    assert risk["deep"]["wrong"]["mean"] == 0.0
    assert risk["refine"]["status"] == "unknown"


def test_without_labels_nothing_is_said_to_be_right():
    runs = labelled([run(1, SURE)])
    assert monitoring.error_of(runs).mean is None
    assert monitoring.risks(runs)["fast"]["status"] == "unknown"
    assert promise(runs, None)["status"] == "unknown"


def test_unknown_costs_are_counted_and_not_taken_for_nothing():
    unpriced = judged("fast", "accept", usage=usage(10, None))
    priced = judged("fast", "accept", usage=usage(30, 0.5))
    found = monitoring.spend(labelled([run(1, unpriced), run(2, priced)]))
    assert found["usd"] == {"known_total": 0.5, "runs_of_unknown_cost": 1}
    assert (found["tokens"]["total"], found["tokens"]["mean"]) == (40, 20)


def test_spend_is_held_against_the_budgets():
    limits = [{"max_tokens": 100, "per": "query"}, {"max_usd": 2.0, "per": "tenant"}]
    status = {"limits": limits, "exhausted": None, "used_tokens": 40, "used_model_calls": 1}
    account = {"tenant:Ada": {"tokens": 7, "model_calls": 1, "seconds": 1.0, "cost_usd": 0.5}}
    stopped = {
        **status,
        "used_tokens": 90,
        "exhausted": "max_tokens: 90 of 100 are used",
        "accounts": account,
    }
    found = monitoring.spend(
        labelled([run(1, SURE, budget=status), run(2, SURE, budget=stopped), run(3, SURE)])
    )
    assert found["budget"] == {
        "runs_under_one": 2,
        "stopped": {"max_tokens": 1},
        "limits": [
            {"limit": "max_tokens", "value": 100, "mean_share": pytest.approx(0.65), "most_share": 0.9}
        ],
        "accounts": [{"account": "tenant:Ada", "limit": "max_usd", "value": 2.0, "used": 0.5}],
    }


def test_latency_is_that_of_the_calls_together():
    runs = labelled([run(1, SURE), run(2, DOUBTED, THOUGHT)])
    assert monitoring.latency(runs)["total"] == pytest.approx(1.5)
    assert monitoring.latency(runs)["p50"] == pytest.approx(0.75)


def test_verdicts_are_those_of_the_last_round():
    gave_up = judged("deep", "give_up")
    runs = labelled([run(1, SURE), run(2, DOUBTED, gave_up), run(3, DOUBTED, THOUGHT)])
    assert monitoring.verdicts(runs) == {"accept": 2, "give_up": 1}


def promising(**figures):
    provenance = {"max_error": 0.1, "confidence": 0.9, **figures}
    return GateProfile(kind="calibrated", model="tiny", modes={}, provenance=provenance)


@pytest.mark.parametrize(("wrong", "status"), [(0, "kept"), (6, "not contradicted"), (30, "broken")])
def test_a_promise_is_held_against_the_accepted_answers(wrong, status):
    records = [run(i, SURE) for i in range(60)] + [run(99, judged("fast", "give_up", "41"))]
    runs = labelled(records, *["43"] * wrong, *["42"] * (61 - wrong))
    found = promise(runs, promising())
    assert found["status"] == status
    assert (found["error"]["events"], found["error"]["trials"]) == (wrong, 60)
    assert promise(runs, None)["status"] == "nothing was promised"


def test_rates_are_watched_against_calibration_or_else_the_first_half():
    records = [run(i, SURE) for i in range(60)] + [run(60 + i, DOUBTED, THOUGHT) for i in range(60)]
    runs = labelled(records)
    by_half = drift(runs, None)["thinking"]
    assert (by_half["expected_from"], by_half["expected"], by_half["observed"]) == ("first half", 0.0, 1.0)
    assert by_half["is_drift"]
    mixed = labelled([run(i, *(SURE,) if i % 2 else (DOUBTED, THOUGHT)) for i in range(120)])
    calibrated = drift(mixed, promising(escalated=0.5, examples=1000))["thinking"]
    assert (calibrated["expected_from"], calibrated["observed"]) == ("calibration", 0.5)
    assert not calibrated["is_drift"]


def test_too_few_runs_tell_of_no_drift():
    runs = labelled([run(i, SURE) for i in range(30)])
    assert drift(runs, None) == {"thinking": None, "errors": None}
