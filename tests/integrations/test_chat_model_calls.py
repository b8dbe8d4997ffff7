"""What reaches the inner models, what is refused, and what becomes of a call that fails."""

import copy
import pickle
import threading

import pytest
from chat_model_ways import adaptive, disbelieved, report_of, scripted, steps_of, sure
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph

from adaptive_reasoner import AdaptiveChatModel, Budget, EmbeddedChatModel, ReasonerConfig
from adaptive_reasoner.errors import (
    BudgetExhaustedError,
    ConfigurationError,
    InvalidInputError,
    ModelError,
    ModelTimeoutError,
)
from adaptive_reasoner.testing import Reply, serve_openai


def doubted(text):
    return Reply(text=text, probability=0.6)


def test_arguments_reach_every_call_of_both_models():
    fast, deep = scripted(doubted("41"), disbelieved("43")), scripted(sure("42"))
    AdaptiveChatModel(fast=fast, deep=deep).invoke("How much?", stop=["\n"], seed=7, temperature=0.2)
    calls = [*fast.calls, *deep.calls]
    assert len(calls) == 3
    for call in calls:
        assert (call.kwargs["stop"], call.kwargs["seed"], call.kwargs["temperature"]) == (["\n"], 7, 0.2)


def test_fields_are_the_calls_defaults():
    model = adaptive(sure("42"), sure("42"), temperature=0.5, max_tokens=50, stop=["you"])
    model.invoke("How much?")
    model.invoke("How much?", max_tokens=20, stop=["me"])
    sent = [
        (call.kwargs["temperature"], call.kwargs["max_tokens"], call.kwargs["stop"]) for call in calls(model)
    ]
    assert sent == [(0.5, 50, ["you"]), (0.5, 20, ["me"])]


def calls(model):
    return model.fast.calls


def test_the_least_of_two_limits_of_output_tokens_holds():
    model = adaptive(sure("42"), config=ReasonerConfig(max_output_tokens=30))
    model.invoke("How much?", max_tokens=80)
    assert calls(model)[0].kwargs["max_tokens"] == 30


def test_log_probabilities_are_asked_for_whatever_the_caller_says():
    model = adaptive(sure("42"))
    model.invoke("How much?", logprobs=False, top_logprobs=1)
    assert (calls(model)[0].kwargs["logprobs"], calls(model)[0].kwargs["top_logprobs"]) == (True, 20)


@pytest.mark.parametrize("argument", [{"model": "gpt-4.1"}, {"n": 2}, {"reasoning_effort": "high"}])
def test_arguments_that_make_no_sense_for_two_models_are_refused(argument):
    model = adaptive(sure("42"))
    with pytest.raises(ConfigurationError, match=f"{next(iter(argument))}= is not taken"):
        model.invoke("How much?", **argument)
    assert calls(model) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"fast": 7}, "is no model"),
        ({"fast": "embedded", "tools": []}, "takes no tools"),
        ({"fast": "embedded", "config": {"triage": "off"}}, "give a ReasonerConfig"),
    ],
)
def test_what_it_cannot_be_built_from_is_refused(fields, said):
    with pytest.raises(ConfigurationError, match=said):
        AdaptiveChatModel(**fields)


def test_a_setting_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match="thinking is 'maybe'"):
        adaptive(sure("42")).invoke("How much?", thinking="maybe")


@pytest.mark.parametrize(
    "thread", [[], [SystemMessage("Be brief.")], [HumanMessage("Hi"), AIMessage("Hello.")]]
)
def test_a_thread_without_a_question_is_refused(thread):
    with pytest.raises(InvalidInputError, match="last message must be the question"):
        adaptive(sure("42")).invoke(thread)


def test_a_model_that_fails_raises_and_so_a_fallback_steps_in():
    failing = adaptive(ConnectionError("down"), ConnectionError("still down"))
    with pytest.raises(ModelError, match="still down"):
        failing.invoke("How much?")
    backup = adaptive(ConnectionError("down"), ConnectionError("down")).with_fallbacks([adaptive(sure("42"))])
    assert backup.invoke("How much?").text == "42"


def test_a_deep_model_that_fails_leaves_the_doubted_answer():
    message = adaptive(disbelieved("41"), ConnectionError("down")).invoke("How much?")
    assert message.text == "41"
    assert steps_of(message)[-1] == ("deep_think", "give_up")


def test_a_model_that_takes_too_long_raises_a_timeout():
    slow = adaptive(sure("41", delay_seconds=5.0), config=ReasonerConfig(model_timeout_seconds=0.05))
    with pytest.raises(ModelTimeoutError):
        slow.invoke("How much?", thinking="off")


def test_a_budget_that_allows_no_call_raises():
    with pytest.raises(BudgetExhaustedError, match="0 of 20 tokens are used"):
        adaptive(sure("42")).invoke("How much? " * 50, budget=Budget(max_tokens=20))


def test_a_budget_that_allows_one_call_gives_its_answer():
    message = adaptive(disbelieved("41")).invoke("How much?", budget={"max_model_calls": 1})
    assert message.text == "41"
    assert report_of(message)["budget"]["used_model_calls"] == 1


def test_a_refusal_is_given_in_the_models_words():
    message = adaptive(Reply(text="I cannot help with that.", finish_reason="content_filter")).invoke("How?")
    assert message.text == "I cannot help with that."
    assert report_of(message)["rounds"][0]["error"] == "refusal"


def test_what_a_graph_around_it_sets_holds():
    model = adaptive(sure("42"))

    def answer(state):
        return {"messages": [model.invoke(state["messages"])]}

    around = (
        StateGraph(MessagesState, context_schema=dict).add_node("answer", answer).add_edge(START, "answer")
    )
    state = around.compile().invoke({"messages": "How much?"}, context={"thinking": "on"})
    assert report_of(state["messages"][-1])["route"] == "deep"


def test_a_low_recursion_limit_around_it_does_not_cut_the_loop():
    model = adaptive(doubted("41"), disbelieved("43"), sure("42"))
    answer = RunnableLambda(model.invoke).invoke("How?", {"recursion_limit": 2})
    assert answer.text == "42"


def test_it_can_be_pickled_and_copied():
    model = AdaptiveChatModel(fast=EmbeddedChatModel(), config=ReasonerConfig(max_refinements=0))
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        assert other.config == model.config
        assert set(other.graph.get_graph().nodes) == set(model.graph.get_graph().nodes)


def test_a_copy_with_another_model_asks_that_one():
    model = adaptive(sure("41"))
    assert model.model_copy(update={"fast": scripted(sure("42"))}).invoke("How much?").text == "42"
    assert model.invoke("How much?").text == "41"


def test_a_cache_tells_models_with_other_settings_apart():
    set_llm_cache(InMemoryCache())
    try:
        fast = scripted(sure("1"), sure("2"), sure("3"))
        model, other = (AdaptiveChatModel(fast=fast, temperature=at) for at in (0.1, 0.2))
        assert [model.invoke("How much?").text, model.invoke("How much?").text] == ["1", "1"]
        assert other.invoke("How much?").text == "2"
    finally:
        set_llm_cache(None)


def test_settings_stay_out_of_what_is_shown_of_it():
    model = adaptive(
        sure("42"), config=ReasonerConfig(never_think=("hunter2",))
    )  # a ledger's URL may hold one
    shown = f"{model!r} {model.asdict()} {model._serialized}"
    assert "hunter2" not in shown


def test_threads_share_one_model():
    model = AdaptiveChatModel(fast=scripted(lambda call: sure(f"{call.messages[-1].text}!"), cycle=True))
    answers = {}

    def ask(n):
        answers[n] = str(model.invoke(f"Question {n}", seed=n).text)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: f"Question {n}!" for n in range(8)}


def test_it_can_stand_behind_an_endpoint_itself():
    with serve_openai(adaptive(disbelieved("41"), sure("42"))) as endpoint:
        client = chat_openai_at(endpoint)
        assert client.invoke("How much?").text == "42"


def chat_openai_at(endpoint):
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="adaptive", base_url=endpoint.base_url, api_key="none", max_retries=0)


def test_its_profile_promises_what_both_models_can():
    small = {"max_input_tokens": 1000, "tool_calling": True, "image_inputs": True}
    large = {"max_input_tokens": 8000, "tool_calling": True, "image_inputs": False, "reasoning_output": True}
    fast, deep = scripted(profile=small), scripted(profile=large)
    assert AdaptiveChatModel(fast=fast, deep=deep).profile == {
        "max_input_tokens": 1000,
        "tool_calling": True,
        "image_inputs": False,
        "reasoning_output": True,
    }
    assert AdaptiveChatModel(fast=fast).profile == small
    assert AdaptiveChatModel(fast=fast, deep=scripted()).profile is None
