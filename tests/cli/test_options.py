import socket
from collections.abc import Iterator
from typing import Any

import pytest

from adaptive_reasoner.cli.models import choose_models
from adaptive_reasoner.cli.options import (
    AnswerOrder,
    BudgetScope,
    Importance,
    ModelChoice,
    Policy,
    parse_thinking,
)
from adaptive_reasoner.config import Budget
from adaptive_reasoner.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "setting"), [("auto", "auto"), ("off", "off"), ("on", "on"), ("64", {"budget_tokens": 64})]
)
def test_thinking_takes_words_and_numbers(text: str, setting: Any) -> None:
    assert parse_thinking(text) == setting


@pytest.mark.parametrize("text", ["", "yes", "0", "-5", "1.5", "²"])
def test_thinking_refuses_anything_else(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--thinking"):
        parse_thinking(text)


def test_policy_becomes_the_graphs_settings() -> None:
    policy = Policy(
        importance=Importance.HIGH,
        answer_order=AnswerOrder.AUTO,
        budget_tokens=500,
        max_refinements=0,
        review=True,
    )
    config = policy.config()
    assert config.answer_order == "auto"
    assert config.budget == Budget(max_tokens=500)
    assert (config.max_refinements, config.review) == (0, "low_confidence")
    assert policy.context() == {"thinking": "auto", "importance": "high"}


def test_a_budget_of_a_tenant_is_counted_in_the_ledger_that_is_named() -> None:
    policy = Policy(budget_tokens=500, budget_per=BudgetScope.DAY, tenant="anna", ledger="l.sqlite")
    config = policy.config()
    assert (config.budget, config.ledger) == (Budget(max_tokens=500, per="day"), "l.sqlite")
    assert policy.context() == {"thinking": "auto", "importance": "normal", "tenant": "anna"}


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"budget_per": BudgetScope.DAY}, "--budget-tokens"),
        ({"budget_per": BudgetScope.TENANT, "budget_tokens": 5}, "--tenant"),
    ],
)
def test_a_budget_without_its_parts_is_refused(options: dict[str, Any], missing: str) -> None:
    with pytest.raises(ConfigurationError, match=missing):
        Policy(**options).config()


def test_embedded_model_is_the_default() -> None:
    assert choose_models(ModelChoice()) == ("embedded", None)


def test_other_providers_are_left_to_the_graph() -> None:
    assert choose_models(ModelChoice(fast="anthropic:x", deep="embedded")) == ("anthropic:x", "embedded")


def test_openai_models_speak_chat_completions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k-1")
    fast, deep = choose_models(ModelChoice(fast="openai:small", deep="openai:large"))
    assert (fast.model_name, deep.model_name) == ("small", "large")
    assert fast.use_responses_api is False
    assert fast.stream_usage is True
    assert fast.openai_api_key.get_secret_value() == "k-1"


@pytest.fixture
def base_url() -> Iterator[str]:
    """An address where somebody listens, who never needs to answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_a_key_does_not_travel_to_another_host(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k-1")
    fast, _ = choose_models(ModelChoice(fast="small", base_url=base_url))
    assert fast.openai_api_key.get_secret_value() != "k-1"


def test_endpoint_takes_the_key_that_is_named_for_it(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    monkeypatch.setenv("MY_KEY", "k-2")
    choice = ModelChoice(fast="small", base_url=base_url, api_key_env="MY_KEY")
    fast, _ = choose_models(choice)
    assert fast.openai_api_key.get_secret_value() == "k-2"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ModelChoice(fast="openai:small"), "OPENAI_API_KEY is not set"),
        (ModelChoice(fast="openai:small", api_key_env="MY_KEY"), "MY_KEY is not set"),
        (ModelChoice(base_url="http://127.0.0.1:9/v1"), "--base-url needs --fast"),
        (ModelChoice(fast="small", base_url="127.0.0.1:9"), "give an address such as"),
        (ModelChoice(fast="small", base_url="http://127.0.0.1:x/v1"), "give an address such as"),
        (ModelChoice(fast="small", base_url="http://[::1/v1"), "give an address such as"),
        (ModelChoice(fast="small", base_url="http:///v1"), "give an address such as"),
        (ModelChoice(api_key_env="MY_KEY"), "--api-key-env needs"),
    ],
)
def test_options_that_cannot_work_say_what_to_do(choice: ModelChoice, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        choose_models(choice)
