"""A draft that was cut off is no answer: no label says that it was wrong, and nothing is fitted to it."""

from recorded_runs import judged, run

from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.traces.monitoring import answers_of

CUT = {"after_tokens": 2, "window_tokens": 1, "measure": "logprob", "certainty": -1.2, "threshold": -0.7}


def test_a_label_says_nothing_of_a_cut_draft():
    record = run(1, judged("fast", "escalate", "4", kind="unknown", cut=CUT), judged("deep", "accept", "42"))
    [labelled] = label_runs([record], [{"run_id": "run-1", "answer": "42"}])
    assert labelled.rounds_correct == (None, True)
    assert list(answers_of([labelled], "fast")) == []
    assert [correct for _, correct in answers_of([labelled], "deep")] == [True]
