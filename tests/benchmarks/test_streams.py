"""The allocation benchmark's short cut: what the graph would do with a stream, without running it."""

import numpy as np
from measuring.streams import Stream, expected_gains, orders, play

from adaptive_reasoner.budget import ThinkingShare
from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.gate.warm_up import plain_threshold
from adaptive_reasoner.recorded import message_of
from adaptive_reasoner.state import Triage
from adaptive_reasoner.traces.recordings import pair_records
from adaptive_reasoner.traces.replay import replay
from adaptive_reasoner.uncertainty.message import score_message

P_RIGHT = (0.95, 0.6, 0.7, 0.85)


class Fixed:
    """Predicts the same gain for every question."""

    def estimate(self, messages) -> Triage:
        return {"gain": 0.1, "difficulty": 0.5, "source": "fixed", "reason": "fixed"}


def _records(mode: str):
    return [
        {
            "id": f"q/{index}", "question": f"Question {index}?", "choices": ["one", "two"], "model": "tiny",
            "mode": mode, "answer": "a", "correct": True, "response": "{'sol': 'a'}",
            "answer_token_top": [["a", float(np.log(p))], ["b", float(np.log(1 - p))]],
        }
        for index, p in enumerate(P_RIGHT * 15)
    ]  # fmt: skip


def _stream(pairs, foreseen) -> Stream:
    n = len(pairs)
    profile, signals = plain_threshold(0.1), [score_message(message_of(pair.fast)) for pair in pairs]
    return Stream(
        profile=profile,
        gains=expected_gains(profile, signals, foreseen),
        foreseen=foreseen,
        fast_right=np.ones(n),
        deep_right=np.ones(n),
        after_right=np.ones(n),
        fast_tokens=np.full(n, 10.0),
        deep_tokens=np.full(n, 100.0),
        families=np.array(["x", "y"] * (n // 2)),
    )


def test_it_thinks_where_the_graph_thinks():
    pairs = pair_records(_records("fast"), _records("deep"))
    estimator = Fixed()
    stream = _stream(pairs, [estimator.estimate([])] * len(pairs))

    after, at_once = play(stream, range(len(pairs)), ThinkingShare(0.25), think_at_gain=0.1)
    config = ReasonerConfig(triage=estimator, think_at_gain=0.1, allocation=ThinkingShare(0.25))
    replayed = replay(pairs, stream.profile, config=config)

    assert at_once.any()
    assert after.any()
    assert [one.thought for one in replayed] == (after | at_once).tolist()
    assert [one.fast_usage["total_tokens"] == 0 for one in replayed] == at_once.tolist()


def test_the_expected_gain_is_the_price_at_which_the_gate_stops():
    stream = _stream(pair_records(_records("fast"), _records("deep")), [None] * 60)

    # doubts of .05, .4, .3 and .15, of which a plain threshold of .1 asks for .1
    assert np.allclose(stream.gains[:4], [-0.05, 0.3, 0.2, 0.05], atol=1e-6)


def test_every_order_holds_every_question_once_and_drifts_as_it_says():
    stream = _stream(pair_records(_records("fast"), _records("deep")), [None] * 60)
    found = orders(stream, seed=0, shuffles=2)

    assert all(sorted(order) == list(range(60)) for several in found.values() for order in several)
    easy_first = stream.gains[found["easy to hard"][0]]
    assert easy_first[:30].mean() < easy_first[30:].mean()
    assert stream.families[found["one family after another"][0]].tolist() == ["x"] * 30 + ["y"] * 30
