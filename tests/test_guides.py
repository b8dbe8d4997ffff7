"""Every Python block of the guides and the cookbook runs as it stands, in order; every link leads somewhere."""

import re
from importlib.util import find_spec

import pytest

GUIDES = (
    "answer-first",
    "cookbook",
    "guide-agents",
    "guide-chatbot",
    "guide-graphs",
    "guide-local",
    "thoughts",
)
NEEDED = {"cookbook": ("langchain", "sqlalchemy"), "guide-agents": ("langchain",)}
PAGES = (*GUIDES, "providers")


def text_of(repository, name):
    return (repository / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GUIDES)
def test_the_blocks_run(repository, shipped_weights, name):
    for package in NEEDED.get(name, ()):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", text_of(repository, name), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, f"docs/{name}.md", "exec"), names)


@pytest.mark.parametrize("name", PAGES)
def test_the_links_lead_somewhere(repository, name):
    for target, anchor in re.findall(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)", text_of(repository, name)):
        page = repository / "docs" / target
        assert page.is_file(), target
        headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        named = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in named, (target, anchor)
