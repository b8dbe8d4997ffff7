"""The public surface, as documents and users rely on it: signatures, shapes, error codes, commands and routes.

A name may gain parameters, if they have a default, and fields; it may lose and rename none.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import pytest

import adaptive_reasoner
from adaptive_reasoner import (
    AdaptiveChatModel,
    Budget,
    CalibrationExample,
    GateProfile,
    ReasonerConfig,
    build_reasoning_graph,
    calibrate,
    errors,
    state,
)
from adaptive_reasoner.cli.app import app
from adaptive_reasoner.decoding import combine_logits
from adaptive_reasoner.nodes.call_settings import CALL_SETTINGS
from adaptive_reasoner.recorded import RecordedChatModel
from adaptive_reasoner.testing import serve_openai
from adaptive_reasoner.triage import estimate_gain
from adaptive_reasoner.uncertainty import TokenLogprobs, parse_response, score_tokens

NEEDED = inspect.Parameter.empty
Promised = tuple[dict[str, Any], dict[str, Any]]

# By place, then by name: each with its default.
SIGNATURES: dict[Callable[..., Any], Promised] = {
    build_reasoning_graph: (
        {"fast": NEEDED, "deep": None},
        {"tools": (), "downstream": None, "recorder": None, "checkpointer": None, "store": None},
    ),
    calibrate: ({"examples": NEEDED}, {"max_escalation": None, "max_error": None, "confidence": 0.9}),
    CalibrationExample: (
        {"question": NEEDED, "fast": NEEDED, "fast_correct": NEEDED, "deep": None, "deep_correct": None},
        {},
    ),
    Budget: (
        {},
        {"max_tokens": None, "max_model_calls": None, "max_usd": None, "max_seconds": None, "per": "query"},
    ),
    GateProfile.load: ({"path": NEEDED}, {}),
    parse_response: ({"raw": NEEDED}, {}),
    score_tokens: ({"tokens": NEEDED, "answer_span": "auto"}, {}),
    estimate_gain: ({"messages_or_text": NEEDED, "pair": "default"}, {}),
    combine_logits: ({"target": NEEDED, "expert": NEEDED, "base": NEEDED, "alpha": NEEDED}, {}),
    RecordedChatModel: ({"records": NEEDED}, {}),
    serve_openai: ({"model": NEEDED}, {}),
}
SETTINGS = {
    "gate",
    "triage",
    "budget",
    "max_refinements",
    "review",
    "answer_span",
    "answer_order",
}
SHAPES: dict[str, set[str]] = {
    "ReasoningReport": {
        "route",
        "triage",
        "rounds",
        "accepted_round",
        "signal",
        "usage",
        "budget",
        "rationale_agreement",
    },
    "Triage": {"gain", "difficulty", "source", "reason"},
    "Round": {"node", "verdict", "signal", "usage", "latency_seconds"},
    "Signal": {
        "kind",
        "risk",
        "entropy_nats",
        "covered_mass",
        "min_probability",
        "perplexity",
        "token_count",
        "spans",
        "reason",
    },
    "UncertainSpan": {"text", "start", "end", "entropy_nats", "alternatives"},
    "EntropyBounds": {"lower", "upper"},
    "Usage": {"input_tokens", "output_tokens", "reasoning_tokens", "total_tokens", "cost_usd"},
}
COMMANDS = {"ask", "chat", "serve", "doctor", "calibrate", "replay", "traces", "train", "batch"}
SUBCOMMANDS = {
    "traces": {"export", "report"},
    "train": {"embedded", "triage", "ibpo", "guider", "distill"},
}
ROUTES = {
    ("post", "/v1/chat/completions"),
    ("get", "/v1/models"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
    ("get", "/v1/threads/{thread_id}"),
    ("get", "/v1/reviews"),
    ("post", "/v1/reviews/{review_id}/{action}"),
}


@pytest.mark.parametrize("one", SIGNATURES, ids=lambda one: one.__qualname__)
def test_a_function_takes_what_is_promised(one: Callable[..., Any]) -> None:
    by_place, by_name = SIGNATURES[one]
    found = inspect.signature(one).parameters
    assert list(found)[: len(by_place)] == list(by_place)
    assert {name: found[name].default for name in by_place | by_name} == by_place | by_name
    assert all(found[name].kind is inspect.Parameter.KEYWORD_ONLY for name in by_name)
    more = [found[name] for name in found if name not in by_place | by_name]
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    assert [one for one in more if one.default is NEEDED and one.kind not in variable] == []


def test_a_graph_without_settings_has_the_default_ones() -> None:
    parameter = inspect.signature(build_reasoning_graph).parameters["config"]
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default in (None, ReasonerConfig())


def test_settings_are_frozen_and_can_all_be_left_out() -> None:
    assert {one.name for one in dataclasses.fields(ReasonerConfig)} >= SETTINGS
    for settings, name in ((ReasonerConfig(), "budget"), (Budget(max_tokens=1), "per")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, name, None)


def test_the_chat_model_takes_both_models_and_the_settings() -> None:
    assert set(AdaptiveChatModel.model_fields) >= {"fast", "deep", "config"}


def test_one_call_can_set_what_is_promised() -> None:
    assert set(CALL_SETTINGS) == {"thinking", "importance", "budget", "tenant"}
    assert set(state.ReasoningContext.__annotations__) >= set(CALL_SETTINGS)


@pytest.mark.parametrize("name", SHAPES)
def test_a_report_always_has_what_is_promised(name: str) -> None:
    shape: Any = getattr(state, name)
    assert shape.__required_keys__ >= SHAPES[name]


def test_token_logprobs_show_their_tokens_and_whether_to_trust_them() -> None:
    parsed = parse_response(
        [{"token": "7", "logprob": -0.1, "top_logprobs": [{"token": "7", "logprob": -0.1}]}]
    )
    assert isinstance(parsed, TokenLogprobs)
    assert (parsed.trusted, parsed.reason) == (True, None)
    assert [(one.token, one.logprob, one.top) for one in parsed.tokens] == [("7", -0.1, [("7", -0.1)])]


def _tree(root: type) -> Iterator[type]:
    yield root
    for one in root.__subclasses__():
        yield from _tree(one)


def test_each_error_has_a_code_of_its_own_and_stands_in_the_picture() -> None:
    own = {one for one in _tree(errors.AdaptiveReasonerError) if one.__module__ == errors.__name__}
    codes = [one.__dict__.get("code") for one in own]
    assert None not in codes
    assert len(set(codes)) == len(codes)
    assert [one.__name__ for one in own if one.__name__ not in (errors.__doc__ or "")] == []


def test_the_command_line_has_what_is_promised() -> None:
    import typer

    commands: Mapping[str, Any] = typer.main.get_command(app).commands
    assert set(commands) >= COMMANDS
    for name, subcommands in SUBCOMMANDS.items():
        assert set(commands[name].commands) >= subcommands
    assert all("Example: adaptive-reasoner" in (one.epilog or "") for one in _leaves(commands))


def _leaves(commands: Mapping[str, Any]) -> Iterator[Any]:
    for one in commands.values():
        below = getattr(one, "commands", None)
        yield from _leaves(below) if below else [one]


@pytest.mark.skipif(find_spec("fastapi") is None, reason="the extra `server` is not installed")
def test_the_server_has_the_routes_that_are_promised() -> None:
    from adaptive_reasoner.server.app import create_app

    paths: dict[str, dict[str, Any]] = create_app().openapi()["paths"]
    assert {(method, path) for path, methods in paths.items() for method in methods} >= ROUTES


def test_every_public_name_is_documented() -> None:
    nameless = [
        name for name in adaptive_reasoner.__all__ if not inspect.getdoc(getattr(adaptive_reasoner, name))
    ]
    assert nameless == []
