"""`langgraph dev` serves graphs/ without a network, and every way of its client gives the same report."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from graph_ways import disbelieved, sure, without_times
from langchain_core.messages import AIMessage

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import ScriptedChatModel, serve_openai

pytestmark = [
    pytest.mark.langgraph_dev,
    pytest.mark.skipif(
        find_spec("langgraph_api") is None, reason="the dependency group `server-tests` is not installed"
    ),
]

# Refined, then escalated, so that each kind of round is there.
QUESTION = (
    "Kim has 7 more cups than Max. Ivan has 3 more cups than Zoe. Max has 12 more cups than Ivan. "
    "Rosa has 7 cups. Zoe has 6 fewer cups than Rosa. How many cups does Kim have?"
)
GIVEN = {"messages": [{"role": "user", "content": QUESTION}]}
# The shipped model knows arithmetic only, and its doubt shows that.
UNANSWERABLE = {"messages": [{"role": "user", "content": "Who wrote Hamlet?"}]}
DECISION = {"action": "edit", "answer": "William Shakespeare"}
OFFLINE = {
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "1",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGSMITH_TRACING": "false",
}
START_SECONDS = 90.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/ok", timeout=1.0).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"langgraph dev did not come up:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Base URL of a scripted model, named as such: the first answer of two is doubted."""
    steps = [disbelieved("It is forty one"), sure("It is forty two")]
    with serve_openai(ScriptedChatModel(steps, cycle=True, logprobs_in_chunks=True)) as served:
        yield served.base_url


@pytest.fixture(scope="module")
def server(repository: Path, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of `langgraph dev` on this repository's langgraph.json; what it writes stays out of the repository."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "graphs").symlink_to(repository / "graphs")
    port, log = _free_port(), folder / "log"
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--config", str(repository / "langgraph.json")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-browser", "--no-reload"]
    models = {
        "ADAPTIVE_REASONER_FAST": "openai:scripted",
        "OPENAI_BASE_URL": endpoint,
        "OPENAI_API_KEY": "not-checked",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **OFFLINE, **models},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def _wait(client: Any, graph: str) -> dict[str, Any]:
    return await client.runs.wait(None, graph, input=GIVEN)


async def _stream(client: Any, graph: str) -> dict[str, Any]:
    parts = client.runs.stream(None, graph, input=GIVEN, stream_mode=["messages-tuple", "custom", "values"])
    seen = [part async for part in parts]
    values = [part.data for part in seen if part.event == "values"]
    rounds = [part.data["round"] for part in seen if part.event == "custom" and part.data["event"] == "round"]
    assert rounds == values[-1]["reasoning"]["rounds"]
    assert "messages" in {part.event for part in seen}
    return values[-1]


async def _stream_v3(client: Any, graph: str) -> dict[str, Any]:
    thread = await client.threads.create()
    async with client.threads.stream(thread["thread_id"], assistant_id=graph) as stream:
        await stream.run.start(input=GIVEN)
        output = await stream.output
    kept = await client.threads.get_state(thread["thread_id"])
    assert kept["values"]["reasoning"] == output["reasoning"]
    return output


WAYS: dict[str, Callable[..., Any]] = {
    "runs.wait": _wait,
    "runs.stream": _stream,
    "threads.stream": _stream_v3,
}


@pytest.fixture
async def client(server: str) -> AsyncIterator[Any]:
    from langgraph_sdk import get_client

    async with get_client(url=server) as opened:
        yield opened


@pytest.mark.parametrize("way", WAYS)
async def test_the_shipped_model_reports_the_same_as_in_process(client: Any, way: str) -> None:
    report = (await WAYS[way](client, "embedded"))["reasoning"]
    here = build_reasoning_graph("embedded").invoke({"messages": [("user", QUESTION)]})["reasoning"]
    assert [one["verdict"] for one in report["rounds"]] == ["refine", "escalate", "accept"]
    assert without_times(report) == without_times(here)


async def test_an_endpoints_log_probabilities_arrive_whole_over_every_way(client: Any) -> None:
    states = [await way(client, "endpoint") for way in WAYS.values()]
    first = without_times(states[0]["reasoning"])
    assert [one["verdict"] for one in first["rounds"]] == ["escalate", "accept"]
    assert [one["signal"]["token_count"] for one in first["rounds"]] == [4, 4]
    for state in states:
        metadata = state["messages"][-1]["response_metadata"]
        assert without_times(state["reasoning"]) == first
        assert metadata["adaptive_reasoning"] == state["reasoning"]
        assert [one["token"].strip() for one in metadata["logprobs"]["content"]] == [
            "It",
            "is",
            "forty",
            "two",
        ]


async def test_a_thread_goes_on_with_its_next_question(client: Any) -> None:
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "embedded", input=GIVEN)
    follow_up = {"messages": [{"role": "user", "content": "What is 3 * 7 + 22?"}]}
    state = await client.runs.wait(thread, "embedded", input=follow_up)
    assert [message["type"] for message in state["messages"]] == ["human", "ai", "human", "ai"]
    assert AIMessage(state["messages"][-1]["content"]).text == "Answer: 43"
    kept = await client.threads.get_state(thread)
    assert kept["values"]["reasoning"] == state["reasoning"]


async def test_settings_of_a_call_travel_with_it(client: Any) -> None:
    state = await client.runs.wait(None, "embedded", input=GIVEN, context={"thinking": "on"})
    assert (state["reasoning"]["route"], len(state["reasoning"]["rounds"])) == ("deep", 1)


async def test_an_answer_in_doubt_waits_for_a_person(client: Any) -> None:
    thread = (await client.threads.create())["thread_id"]
    waiting = await client.runs.wait(thread, "reviewed", input=UNANSWERABLE)
    (question,) = waiting["__interrupt__"]
    assert question["value"]["actions"] == ["approve", "edit", "reject", "mark_step"]
    assert question["value"]["report"]["rounds"][-1]["verdict"] == "review"
    state = await client.runs.wait(thread, "reviewed", command={"resume": DECISION})
    _assert_decided(state, question["value"])


async def test_a_person_is_asked_and_answers_in_v3_events(client: Any) -> None:
    thread = (await client.threads.create())["thread_id"]
    async with client.threads.stream(thread, assistant_id="reviewed") as stream:
        await stream.run.start(input=UNANSWERABLE)
        assert [one async for one in stream.values], "it ends where the run pauses"
        assert stream.interrupted
        (question,) = (await client.threads.get_state(thread))["interrupts"]
        await stream.run.respond(DECISION)
        state = await stream.output
    _assert_decided(state, question["value"])


def _assert_decided(state: dict[str, Any], question: dict[str, Any]) -> None:
    assert state["messages"][-1]["content"] == DECISION["answer"]
    assert state["reasoning"]["review"] == DECISION
    assert state["reasoning"]["rounds"] == question["report"]["rounds"]
