"""What every estimator promises, whatever it predicts by; add yours to `ESTIMATORS`."""

import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.testing import Reply, ScriptedChatModel
from adaptive_reasoner.triage import (
    LinearEstimator,
    ProbeEstimator,
    TriageRequest,
    choose_route,
    shipped_estimator,
)
from adaptive_reasoner.triage.cues import CUES

PICTURE = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
THREADS = {
    "nothing": [],
    "no question": [AIMessage("Hello!")],
    "empty": [HumanMessage("")],
    "blank": [HumanMessage(" \n\t ")],
    "plain": [HumanMessage("Which is more, 3 or 5?")],
    "emoji": [HumanMessage("🤔" * 500)],
    "other scripts": [HumanMessage("なぜ空は青いのですか ٣ + ٤ = ؟")],
    "lone surrogate": [HumanMessage("why \ud800?")],
    "control characters": [HumanMessage("why\x00\x1b[0m?")],
    "huge": [HumanMessage("Why is it so? " * 50_000)],
    "huge number": [HumanMessage("9" * 10_000)],
    "picture alone": [HumanMessage([PICTURE])],
    "picture and text": [HumanMessage([PICTURE, {"type": "text", "text": "How many cats?"}])],
    "long history": [
        *(message for n in range(200) for message in (HumanMessage(f"Question {n}?"), AIMessage("x " * 500))),
        HumanMessage("What is the capital of France?"),
    ],
    "follow-up": [HumanMessage("Prove that 7 is prime."), AIMessage("Shall I?"), HumanMessage("yes")],
    "follow-up of nothing": [SystemMessage("Be brief."), HumanMessage("yes")],
}


def own():
    """As `train triage` writes it, through its JSON."""
    weights = dict.fromkeys(CUES, 5.0)
    given = LinearEstimator("own", {"bias": 50.0}, {}, 0.3, "cues", {"bias": -3.0, **weights})
    return LinearEstimator.from_json(json.loads(json.dumps(given.to_json())))


ESTIMATORS = {
    "linear, default pair": shipped_estimator,
    "linear, embedded model": lambda: shipped_estimator("embedded"),
    "linear, own pair": own,
    "probe": lambda: ProbeEstimator(ScriptedChatModel([Reply(text="42", probability=0.6)], cycle=True)),
}


@pytest.fixture(params=ESTIMATORS.values(), ids=ESTIMATORS.keys())
def estimator(request):
    return request.param()


@pytest.fixture(params=THREADS.values(), ids=THREADS.keys())
def thread(request):
    return [message.model_copy(deep=True) for message in request.param]


def test_an_estimate_is_plain_and_within_its_bounds(estimator, thread):
    triage = estimator.estimate(thread)
    assert {"gain", "difficulty", "source", "reason"} <= set(triage)
    assert -1 <= triage["gain"] <= 1
    assert 0 <= triage["difficulty"] <= 1
    assert all(
        isinstance(triage[name], float) and math.isfinite(triage[name]) for name in ("gain", "difficulty")
    )
    assert triage["source"]
    assert triage["reason"]
    assert json.loads(json.dumps(triage, allow_nan=False)) == triage


def test_an_estimate_is_the_same_every_time_and_in_every_thread(estimator, thread):
    first = estimator.estimate(thread)
    with ThreadPoolExecutor(4) as pool:
        assert all(again == first for again in pool.map(lambda _: estimator.estimate(thread), range(4)))


def test_the_messages_stay_as_they_were(estimator, thread):
    before = [message.model_copy(deep=True) for message in thread]
    estimator.estimate(thread)
    assert thread == before


def test_an_estimate_decides_a_route(estimator, thread):
    request = TriageRequest(messages=thread, text="how?")
    assert choose_route(request, ReasonerConfig(think_at_gain=0.1), estimator).route in {"fast", "deep"}


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "probe"])
def test_a_history_does_not_drown_the_question(name):
    """The probe is left out: the model reads the thread that it would answer."""
    estimator = ESTIMATORS[name]()
    long, alone = THREADS["long history"], THREADS["long history"][-1:]
    assert estimator.estimate(long) == estimator.estimate(alone)


@pytest.mark.parametrize("text", ["yes", "commit it", "and in euros?", "go on", "why?"])
@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "probe"])
def test_a_follow_up_is_judged_by_the_question_that_it_leans_on(name, text):
    estimator = ESTIMATORS[name]()
    plan = "If the two firms merge after June, which of them would owe more than the other, and why?"
    thread = [
        HumanMessage(plan),
        AIMessage("Shall I?"),
        HumanMessage("ok"),
        AIMessage("Sure?"),
        HumanMessage(text),
    ]
    judged, alone = estimator.estimate(thread), estimator.estimate([HumanMessage(text)])
    whole = estimator.estimate([HumanMessage(f"{plan}\n{text}")])
    assert judged["gain"] == pytest.approx(whole["gain"])
    assert judged != alone
