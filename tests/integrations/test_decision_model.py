"""Triage behind LangChain's decision models; with the real class where langchain-core has it."""

from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError, MissingExtraError
from adaptive_reasoner.integrations.decision_model import TriageDecision, as_thread, triage_decision_model
from adaptive_reasoner.testing import ScriptedChatModel
from adaptive_reasoner.triage import shipped_estimator

has_decisions = find_spec("langchain_core.decisions") is not None
with_decisions = pytest.mark.skipif(not has_decisions, reason="decision models need langchain-core 1.8")


class ByLength:
    think_at_gain = 0.5

    def estimate(self, messages):
        gain = 0.9 if len(messages[-1].text) > 20 else 0.1
        return {"gain": gain, "difficulty": gain, "source": "length", "reason": "long is hard"}


SHORT, LONG = "How much?", "How much is it all together?"
CHOICE = SimpleNamespace(type="choice", criteria={"fast": "easy", "deep": "hard"})
NOUL = SimpleNamespace(type="noul")
DECISION = TriageDecision(ByLength(), 0.5)


@pytest.mark.parametrize(("text", "label", "deep"), [(SHORT, "fast", 0.3), (LONG, "deep", 0.7)])
def test_a_choice_follows_the_gain(text, label, deep):
    answer = DECISION.answers(text, {"route": CHOICE})["route"]
    assert answer["choice"] == label
    assert answer["probabilities"] == {"fast": pytest.approx(1 - deep), "deep": pytest.approx(deep)}
    assert answer["confidence"] == pytest.approx(0.4)


def test_a_yes_or_no_question_gets_the_chance_of_yes():
    assert DECISION.answers(LONG, {"think": NOUL})["think"] == {"type": "noul", "noul": pytest.approx(0.7)}


def test_labels_of_ones_own_are_named():
    decision = TriageDecision(ByLength(), 0.5, fast="mini", deep="large")
    large = SimpleNamespace(type="choice", criteria={"mini": "", "large": ""})
    assert decision.answers(LONG, {"route": large})["route"]["choice"] == "large"
    with pytest.raises(ConfigurationError, match=r"'mini' and 'large'.*fast="):
        decision.answers(LONG, {"route": CHOICE})
    with pytest.raises(ConfigurationError, match="is a score"):
        decision.answers(LONG, {"route": SimpleNamespace(type="score", criteria=["a", "b"])})


def test_a_state_may_be_a_text_a_message_or_a_thread():
    thread = [HumanMessage(SHORT), AIMessage("5"), HumanMessage(LONG)]
    given = (LONG, HumanMessage(LONG), thread, {"messages": thread}, [("user", LONG)])
    for state in given:
        assert as_thread(state)[-1].text == LONG


@pytest.mark.parametrize("state", [None, [], {}, {"messages": []}, [5], {"question": LONG}])
def test_a_state_without_a_question_is_refused(state):
    with pytest.raises(InvalidInputError):
        as_thread(state)


@pytest.mark.skipif(has_decisions, reason="langchain-core has decision models")
def test_an_older_langchain_core_is_named():
    with pytest.raises(MissingExtraError, match=r"langchain-core>=1\.8"):
        triage_decision_model()


@with_decisions
def test_an_estimator_without_a_bound_needs_one():
    with pytest.raises(ConfigurationError, match="think_at_gain"):
        triage_decision_model(shipped_estimator())
    assert triage_decision_model(think_at_gain=0.1).model == "adaptive-reasoner-triage"


@with_decisions
@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
async def test_it_drives_the_model_router():
    agents = pytest.importorskip("langchain.agents")
    middleware = pytest.importorskip("langchain.agents.middleware")
    if not hasattr(middleware, "ModelRouterMiddleware"):
        pytest.skip("ModelRouterMiddleware needs langchain 1.5")
    models = {name: ScriptedChatModel([name], cycle=True) for name in ("fast", "deep")}
    router = middleware.ModelRouterMiddleware(
        choices={name: middleware.ModelChoice(model, name) for name, model in models.items()},
        instructions="pick",
        classifier=triage_decision_model(ByLength()),
    )
    agent = agents.create_agent(models["fast"], middleware=[router])
    for text, name in ((SHORT, "fast"), (LONG, "deep")):
        assert agent.invoke({"messages": [("user", text)]})["messages"][-1].text == name
        result = await agent.ainvoke({"messages": [("user", text)]})
        assert (result["messages"][-1].text, result["model_route"].choice) == (name, name)
