"""From what a caller wrote to a chat model."""

import pytest

from adaptive_reasoner import EmbeddedChatModel, build_reasoning_graph
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.models import resolve_model
from adaptive_reasoner.testing import ScriptedChatModel


def test_a_model_stays_itself():
    model = ScriptedChatModel([])
    assert resolve_model(model) is model


def test_embedded_is_the_shipped_model():
    assert isinstance(resolve_model("embedded"), EmbeddedChatModel)


def test_a_string_names_provider_and_model(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    model = resolve_model("openai:gpt-4.1-mini")
    assert model.model_name == "gpt-4.1-mini"


@pytest.mark.parametrize("spec", ["", "  ", None, 5, ScriptedChatModel, ["embedded"]])
def test_what_is_no_model_is_refused(spec):
    with pytest.raises(ConfigurationError, match="is no model"):
        resolve_model(spec)


@pytest.mark.parametrize("spec", ["nobody:nothing", "openai:gpt-4.1-mini", "unheard-of"])
def test_a_provider_that_cannot_be_set_up_says_why(spec):
    with pytest.raises(ConfigurationError, match=f"The model '{spec}' cannot be set up"):
        resolve_model(spec)


def test_a_bound_model_is_refused_with_what_to_do_instead():
    with pytest.raises(ConfigurationError, match="is no model"):
        build_reasoning_graph(ScriptedChatModel([]).bind(logprobs=True))


def test_a_missing_extra_is_named(monkeypatch):
    import importlib.util

    monkeypatch.setattr("adaptive_reasoner.models.find_spec", lambda name: None)
    assert importlib.util.find_spec("langchain")
    with pytest.raises(ImportError, match=r"adaptive-reasoner\[langchain\]") as error:
        resolve_model("openai:gpt-4.1-mini")
    assert error.value.code == "missing_extra"
