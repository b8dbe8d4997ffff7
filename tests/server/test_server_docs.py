"""The page about the server: its code runs, its tables are what the code and the tests say."""

import inspect
import re

import pytest
from compatibility import counted_rows, standard_count

from adaptive_reasoner.server.config import sections
from adaptive_reasoner.server.errors import SHOWN
from adaptive_reasoner.server.routes import ROUTERS


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "server.md").read_text()


AS_IN_CONFIG = "as in `ReasonerConfig`"


def _between(page, name):
    return page.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0]


def test_the_code_runs(page, shipped_weights, capsys):
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    try:
        for block in blocks:
            exec(compile(block, "docs/server.md", "exec"), names)
    finally:
        names["client"].close()
        names["server"].__exit__(None, None, None)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Answer: 12 ")
    assert said[2:] == ["Answer: 12", "Answer: 60"]
    assert len(blocks) == 3


def settings_table():
    """One row a setting, from the sections themselves."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for kind in sections():
        told = _attributes_of(kind)
        for name, field in kind.model_fields.items():
            default = field.get_default(call_default_factory=True)
            rows.append(f"| `{kind.table}.{name}` | `{default!r}` | {told.get(name, AS_IN_CONFIG)} |")
    return "\n".join(rows) + "\n"


def _attributes_of(kind):
    """What a class's docstring says of each attribute."""
    text = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^ {4}([\w, ]+): (.*(?:\n {8}.*)*)", text, re.MULTILINE)
    return {
        name: " ".join(words.split()).replace("|", "\\|")
        for names, words in entries
        for name in names.split(", ")
    }


def test_every_setting_is_listed_with_its_default(page):
    assert _between(page, "settings") == settings_table()


def test_the_checks_are_counted(page):
    table = _between(page, "compatibility")
    for row in counted_rows():
        assert row in table
    passed, _, ways = standard_count(table)
    assert passed % ways == 0


def test_every_route_is_listed(page):
    paths = {route.path for router in ROUTERS for route in router.routes}
    listed = page.replace("{id}", "{thread_id}").replace("/{name}", "/{name}")
    missing = {path for path in paths if path not in listed and path != "/v1/models/{name}"}
    assert missing == set()


def test_every_error_is_listed_under_its_status(page):
    for code, shown in SHOWN.rows.items():
        if code in ("adaptive_reasoner_error", "missing_extra"):
            continue
        row = next(line for line in page.splitlines() if re.match(rf"\| .*\b{shown.status}\b.* \| `", line))
        assert f"`{shown.code or code}`" in row
