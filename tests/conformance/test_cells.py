"""One test a cell: the answer, its report, what was streamed and what was called."""

import json
from importlib.util import find_spec

import pytest

pytest.importorskip("langchain.agents", reason="the extra `langchain` is not installed")
from call_columns import ChatModel, Tool
from conformance_page import COLUMNS, ROWS, SENSELESS
from conformance_scripts import ANSWER, CUPS, PENS, REPAIRED, THOUGHT_THROUGH, Place
from graph_columns import Graph, Middleware, Subgraph

KINDS = {
    "chat model": ChatModel,
    "middleware": Middleware,
    "subgraph": Subgraph,
    "tool": Tool,
    "graph": Graph,
}
if find_spec("fastapi") and find_spec("uvicorn"):
    from server_column import Server

    KINDS["server"] = Server

CELLS = [
    (row, column)
    for row in ROWS
    for column in COLUMNS
    if column in KINDS and hasattr(KINDS[column], row) and (row, column) not in SENSELESS
]


def check_ways(row, answers):
    for question, seen in zip((PENS, CUPS), answers, strict=False):
        assert (seen.text, seen.steps) == (ANSWER[question], THOUGHT_THROUGH)
        assert seen.report["accepted_round"] == 1
    assert len(answers) == (2 if "batch" in row else 1)
    if row in ("stream", "astream") or answers[0].pieces:
        assert "".join(answers[0].pieces) == ANSWER[PENS]
        assert len([piece for piece in answers[0].pieces if piece]) > 1


def check_tools(_row, answers):
    [seen] = answers
    assert (seen.more, seen.steps) == ("Rome", REPAIRED)
    assert seen.report["rounds"][0]["tool_calls"] == ["weather"]


def check_structured_output(_row, answers):
    [seen] = answers
    assert (seen.more, seen.steps) == (Place(city="Rome"), THOUGHT_THROUGH)


def check_multi_turn(_row, answers):
    first, second = answers
    assert [seen.text for seen in answers] == [ANSWER[PENS], ANSWER[CUPS]]
    assert first.steps == THOUGHT_THROUGH
    assert second.steps[-1] == ("deep_think", "accept")
    assert len(second.report["rounds"]) <= 2, "each question has a report of its own"
    sent = [(message.type, message.text) for message in second.more if message.type != "system"]
    assert sent == [("human", PENS), ("ai", ANSWER[PENS]), ("human", CUPS)]


def check_interrupts(_row, answers):
    [seen] = answers
    assert (seen.text, seen.steps) == ("43 pens", [("fast_answer", "escalate"), ("deep_think", "review")])
    assert seen.report["review"]["action"] == "edit"


CHECKS = {
    "tools": check_tools,
    "structured_output": check_structured_output,
    "multi_turn": check_multi_turn,
    "interrupts": check_interrupts,
}


@pytest.mark.parametrize(("row", "column"), CELLS, ids=[f"{row}-{column}" for row, column in CELLS])
def test_cell(row, column, record_property):
    record_property("cell", [row, column])
    answers = getattr(KINDS[column](), row)()
    CHECKS.get(row, check_ways)(row, answers)
    for seen in answers:
        used = [one["usage"]["total_tokens"] for one in seen.report["rounds"]]
        assert all(used)
        assert json.loads(json.dumps(seen.report)) == seen.report
