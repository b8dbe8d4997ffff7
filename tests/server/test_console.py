"""The console's files, what it asks beside the API, and its colours."""

import json
import re
from pathlib import Path

import pytest
from served import http_of, served, sure

from adaptive_reasoner.server import console

PAGE = Path(console.__file__).parent / "page"
# WCAG 2.2 AA: text, and the borders of what can be used.
TEXT, BORDER = 4.5, 3.0
PAIRS = [
    ("ink", "paper", TEXT), ("ink", "card", TEXT), ("soft", "paper", TEXT), ("soft", "card", TEXT),
    ("accent", "paper", TEXT), ("accent", "card", TEXT), ("on-accent", "accent", TEXT),
    ("good", "good-bg", TEXT), ("bad", "bad-bg", TEXT), ("wait", "wait-bg", TEXT), ("wait", "paper", TEXT),
    ("bad", "card", TEXT), ("field", "card", BORDER), ("field", "paper", BORDER),
    *((("on-heat", f"heat-{level}", TEXT)) for level in (1, 2, 3, 4)),
]  # fmt: skip


def _colours(scheme):
    style = (PAGE / "style.css").read_text()
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", roots[0 if scheme == "light" else 1]))


def _luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_colours_can_be_told_apart(scheme, front, back, least):
    colours = _colours(scheme)
    light, dark = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_the_page_and_its_files_are_served_as_what_they_are():
    with served(sure()) as server, http_of(server) as http:
        page = http.get("/")
        kinds = {
            name: http.get(f"/console/{name}").headers["content-type"] for name in ("app.js", "style.css")
        }
        missing = http.get("/console/..%2f__init__.py"), http.get("/console/nothing.js")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert kinds == {"app.js": "text/javascript; charset=utf-8", "style.css": "text/css; charset=utf-8"}
    assert [one.status_code for one in missing] == [404, 404]


def test_nothing_in_the_page_is_inline_or_from_elsewhere():
    page = (PAGE / "index.html").read_text()
    scripts = "".join(file.read_text() for file in PAGE.glob("*.js"))
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", page)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|https?://", scripts)


def test_every_field_of_the_page_has_a_label():
    page = (PAGE / "index.html").read_text()
    labelled = set(re.findall(r'for="([\w-]+)"', page)) | set(
        re.findall(r'<label>[^<]*<select id="([\w-]+)"', page)
    )
    assert set(re.findall(r'<(?:input|select|textarea) id="([\w-]+)"', page)) == labelled


def test_budgets_are_told_with_what_is_used(tmp_path):
    policy = {
        "ledger": f"sqlite:///{tmp_path / 'ledger.sqlite'}",
        "budgets": [{"max_tokens": 5000, "per": "day"}, {"max_seconds": 9.0}],
    }
    ask = {"model": "adaptive", "messages": [{"role": "user", "content": "How many?"}]}
    with served(sure(), policy=policy) as server, http_of(server) as http:
        used = http.post("/v1/chat/completions", json=ask).json()["usage"]["total_tokens"]
        day, query = http.get("/v1/budgets").json()["data"]
    assert (day["per"], day["max_tokens"], day["used"]["tokens"]) == ("day", 5000, used)
    assert (query["per"], query["max_seconds"], query["used"]) == ("query", 9.0, None)


def test_what_thinking_usually_takes_is_told_where_it_is_known():
    with served(sure()) as server, http_of(server) as http:
        assert http.get("/v1/console/facts").json() == {"usual_deep_tokens": None}


def test_drafts_are_told_apart_from_thoughts():
    body = {"model": "adaptive", "stream": True, "messages": [{"role": "user", "content": "How many?"}]}
    body["adaptive_reasoning"] = {"events": True, "drafts": True}
    with served(sure("Answer: 12")) as server, http_of(server) as http:
        lines = http.post("/v1/chat/completions", json=body).text.split("\n\n")
    told = [
        json.loads(line[6:]).get("adaptive_reasoning", {}) for line in lines if line.startswith("data: {")
    ]
    events = [one["event"] for one in told if "event" in one]
    drafts = [event for event in events if event["event"] == "draft"]
    assert "".join(event["text"] for event in drafts) == "Answer: 12"
    assert {event["thought"] for event in drafts} == {""}
