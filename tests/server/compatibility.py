"""The table of compatibility checks in `docs/server.md`, from the tests that make them."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
BEGIN, END = "<!-- compatibility -->\n", "<!-- /compatibility -->"
# LangChain's standard tests are counted by running them; they need LangChain's own package.
STANDARD = "test_langchain_standard.py"
ROWS = {
    "test_openai_client.py": "`openai` client: sync, async, `.stream()`, `.parse()`",
    "test_answering_http.py": "the wire: errors, ids, streams, idempotency, hanging up",
    "test_threads.py": "threads: SQLite, Postgres, concurrent turns",
    "test_litellm.py": "LiteLLM's proxy in front and behind",
}


def checks_in(file: str) -> int:
    """Tests in a file, those with several parameter sets as often as they run."""
    tree = ast.parse((HERE / file).read_text())
    functions = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    ways = 2 if file == "test_litellm.py" else 1
    return ways * sum(_runs(function) for function in functions)


def _runs(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    runs = 1
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.parametrize":
            runs *= len(decorator.args[1].elts)
    return runs


def standard_count(text: str) -> tuple[int, int, int]:
    """Passed, skipped and ways, as the page says them."""
    found = re.search(r"\| (\d+) passed, (\d+) skipped \(.*?\), in (\d+) ways", text)
    assert found, "the page has a row for LangChain's standard tests"
    return int(found[1]), int(found[2]), int(found[3])


def counted_rows() -> list[str]:
    """The rows of the files that can be counted without running them."""
    return [
        f"| {what} | {checks_in(file)} checks | `pytest tests/server/{file}` |" for file, what in ROWS.items()
    ]
