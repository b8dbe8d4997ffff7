"""docs/thinking.md shows what the code sends, and its example runs."""

import re

import provider_page
import pytest
from provider_table import PAGE, table, written

PACKAGES = ("anthropic", "google_genai", "deepseek", "mistralai", "ollama")


def test_the_table_of_providers_is_the_codes():
    for package in PACKAGES:
        pytest.importorskip(f"langchain_{package}", reason=f"langchain-{package} is not installed")
    again = "run python tests/thinking/provider_table.py"
    assert written(PAGE.read_text(encoding="utf-8")) == table(), again


def test_the_page_of_providers_is_the_codes():
    for package in PACKAGES:
        pytest.importorskip(f"langchain_{package}", reason=f"langchain-{package} is not installed")
    again = "run python tests/thinking/provider_page.py"
    page = provider_page.PAGE.read_text(encoding="utf-8")
    assert written(page) == provider_page.table(), again


def test_the_pages_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
