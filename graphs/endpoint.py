"""The reasoning graph on the models that the environment names, built when a server asks for it."""

import os
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from adaptive_reasoner import build_reasoning_graph


def make_graph() -> CompiledStateGraph[Any, Any, Any, Any]:
    """Build the graph from ADAPTIVE_REASONER_FAST and ADAPTIVE_REASONER_DEEP.

    Both take an `init_chat_model` string such as "openai:gpt-4.1-mini", or "embedded". Without a deep model
    the fast one thinks, where it can; without either, the shipped model answers.
    """
    fast = os.environ.get("ADAPTIVE_REASONER_FAST") or "embedded"
    return build_reasoning_graph(fast, os.environ.get("ADAPTIVE_REASONER_DEEP") or None)
