import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from langgraph.pregel import Pregel

SERVED = ("embedded", "reviewed", "endpoint")


def _served(repository: Path, name: str) -> Any:
    """The object that langgraph.json names, loaded as a server does it: from its file."""
    entry = json.loads((repository / "langgraph.json").read_text())["graphs"][name]
    file, _, attribute = entry["path"].partition(":")
    spec = importlib.util.spec_from_file_location(f"served_{name}", repository / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, attribute)


def test_every_graph_in_langgraph_json_is_tested(repository: Path) -> None:
    assert set(json.loads((repository / "langgraph.json").read_text())["graphs"]) == set(SERVED)


@pytest.mark.parametrize("name", SERVED)
def test_graph_loads_without_a_key_and_without_a_network(repository: Path, name: str) -> None:
    served = _served(repository, name)
    graph = served if isinstance(served, Pregel) else served()
    assert {"triage", "confidence_gate", "hand_off"} <= set(graph.get_graph().nodes)


def test_endpoint_graph_takes_its_models_from_the_environment(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTIVE_REASONER_FAST", "nobody:nothing")
    make_graph = _served(repository, "endpoint")
    with pytest.raises(ValueError, match="nobody:nothing"):
        make_graph()
