"""docs/observability.md shows the code's names, and its example runs."""

import re
import subprocess
import sys

import pytest
from attribute_table import PAGE, table, written
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from adaptive_reasoner.nodes.run_attributes import (
    CONTENT_ATTRIBUTES,
    CONTEXT_ATTRIBUTES,
    ROUND_ATTRIBUTES,
    RUN_ATTRIBUTES,
)


def test_the_table_of_names_is_the_codes() -> None:
    again = "run python tests/integrations/attribute_table.py"
    assert written(PAGE.read_text(encoding="utf-8")) == table(), again


@pytest.mark.skipif(
    not hasattr(gen_ai_attributes, "GEN_AI_USAGE_REASONING_OUTPUT_TOKENS"),
    reason="these semantic conventions are older than the names (they come with opentelemetry-sdk)",
)
def test_names_of_the_semantic_conventions_exist_there() -> None:
    known = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI")}
    every = (*RUN_ATTRIBUTES, *ROUND_ATTRIBUTES, *CONTEXT_ATTRIBUTES, *CONTENT_ATTRIBUTES)
    assert {one.name for one in every if one.name.startswith("gen_ai.")} <= known


def test_each_name_stands_for_one_thing() -> None:
    for attributes in (RUN_ATTRIBUTES, ROUND_ATTRIBUTES):
        names = [one.name for one in (*attributes, *CONTEXT_ATTRIBUTES, *CONTENT_ATTRIBUTES)]
        assert len(names) == len(set(names))


def test_the_pages_example_runs(shipped_weights) -> None:
    """In a process of its own: it sets the global provider."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, timeout=120, check=True
    )
    assert "adaptive_reasoning.round fast_answer" in done.stdout
