import json
import subprocess
import sys

import pytest

import adaptive_reasoner

PROMISED = {
    "AdaptiveChatModel": "adaptive_reasoner",
    "AdaptiveReasonerError": "adaptive_reasoner",
    "AdaptiveReasoningMiddleware": "adaptive_reasoner",
    "Budget": "adaptive_reasoner",
    "CalibrationExample": "adaptive_reasoner",
    "EmbeddedChatModel": "adaptive_reasoner",
    "GateProfile": "adaptive_reasoner",
    "ReasonerConfig": "adaptive_reasoner",
    "build_reasoning_graph": "adaptive_reasoner",
    "calibrate": "adaptive_reasoner",
    "reasoning_tool": "adaptive_reasoner",
    "score_message": "adaptive_reasoner",
    "parse_response": "adaptive_reasoner.uncertainty",
    "score_tokens": "adaptive_reasoner.uncertainty",
    "TokenLogprobs": "adaptive_reasoner.uncertainty",
    "combine_logits": "adaptive_reasoner.decoding",
    "estimate_gain": "adaptive_reasoner.triage",
    "RecordedChatModel": "adaptive_reasoner.recorded",
    "serve_openai": "adaptive_reasoner.testing",
    "ScriptedChatModel": "adaptive_reasoner.testing",
    "main": "adaptive_reasoner.cli",
}
# Each costs a second or more, or is an extra.
HEAVY = {
    "alembic", "fastapi", "langchain", "langchain_openai", "matplotlib", "openai", "prometheus_client", "pyarrow",
    "ray", "rich", "scipy", "sqlalchemy", "tiktoken", "torch", "transformers", "typer", "uvicorn",
}  # fmt: skip


@pytest.mark.parametrize(("name", "home"), PROMISED.items())
def test_promised_name_is_where_users_import_it(name: str, home: str) -> None:
    module = __import__(home, fromlist=[name])
    assert getattr(module, name) is not None


def test_all_lists_what_can_be_imported() -> None:
    assert sorted(adaptive_reasoner.__all__) == dir(adaptive_reasoner)
    assert all(hasattr(adaptive_reasoner, name) for name in adaptive_reasoner.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = adaptive_reasoner.nothing


def _loaded_by(statement: str) -> set[str]:
    code = f"import json, sys\n{statement}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_the_package_stays_light() -> None:
    assert not HEAVY & _loaded_by("import adaptive_reasoner")


def test_building_a_graph_needs_no_extra_and_no_provider() -> None:
    loaded = _loaded_by("from adaptive_reasoner import build_reasoning_graph, ReasonerConfig, Budget")
    assert not (HEAVY - {"rich", "tiktoken"}) & loaded
