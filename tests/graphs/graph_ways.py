"""Every way to run a graph, each as a function from a graph and an input to the same `Run`."""

import asyncio
import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core._api import LangChainBetaWarning
from langchain_core.messages import AIMessage

from adaptive_reasoner.testing import Reply


@dataclass
class Run:
    """What a run left: its final state, the interrupts that it waits at, and what was streamed."""

    state: dict[str, Any]
    interrupts: tuple[Any, ...] = ()
    streamed: list[Any] = field(default_factory=list)

    @property
    def report(self) -> dict[str, Any]:
        return self.state["reasoning"]

    @property
    def message(self) -> AIMessage:
        return self.state["messages"][-1]

    @property
    def answer(self) -> str:
        return str(self.message.text)

    @property
    def steps(self) -> list[tuple[str, str]]:
        return [(one["node"], one["verdict"]) for one in self.report["rounds"]]


def sure(text, **fields):
    return Reply(text=text, probability=0.99, **fields)


def doubted(text, **fields):
    """An answer that the uncalibrated gate sends back to be refined."""
    return Reply(text=text, probability=0.6, **fields)


def disbelieved(text, **fields):
    """An answer that the uncalibrated gate escalates at once."""
    return Reply(text=text, probability=0.3, **fields)


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    """The report as it must be in every way: latencies differ."""
    timeless = copy.deepcopy(report)
    for one in timeless["rounds"]:
        del one["latency_seconds"]
    if timeless["budget"]:
        del timeless["budget"]["used_seconds"]
    return timeless


def _invoke(graph, given, **options):
    return _plain(graph.invoke(given, **options))


def _ainvoke(graph, given, **options):
    return _plain(asyncio.run(graph.ainvoke(given, **options)))


def _invoke_v2(graph, given, **options):
    output = graph.invoke(given, version="v2", **options)
    return Run(output.value, tuple(output.interrupts))


def _streaming(mode: str, version: str) -> Callable[..., Run]:
    def run(graph, given, **options):
        parts = graph.stream(given, stream_mode=[mode, "values"], version=version, **options)
        return _collected(list(parts), version)

    return run


def _astreaming(mode: str, version: str) -> Callable[..., Run]:
    def run(graph, given, **options):
        async def collect():
            parts = graph.astream(given, stream_mode=[mode, "values"], version=version, **options)
            return [part async for part in parts]

        return _collected(asyncio.run(collect()), version)

    return run


def _v3(graph, given, *, config=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        run = graph.stream_events(given, config, version="v3", **options)
        return Run(run.output, tuple(run.interrupts))


def _av3(graph, given, *, config=None, **options):
    async def collect():
        run = await graph.astream_events(given, config, version="v3", **options)
        output = await run.output()
        return Run(output, tuple(await run.interrupts()))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return asyncio.run(collect())


def _events(graph, given, *, config=None, **options):
    async def collect():
        events = graph.astream_events(given, config, version="v2", **options)
        return [event async for event in events]

    events = asyncio.run(collect())
    ends = [event for event in events if event["event"] == "on_chain_end" and not event["parent_ids"]]
    run = _plain(ends[-1]["data"]["output"], events)
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chain_stream"]
    waiting = [
        chunk["__interrupt__"] for chunk in chunks if isinstance(chunk, dict) and "__interrupt__" in chunk
    ]
    return Run(run.state, tuple(waiting[-1]) if waiting else (), events)


def _plain(output, streamed=()):
    state = dict(output)
    return Run(state, tuple(state.pop("__interrupt__", ())), list(streamed))


def _collected(parts: list[Any], version: str) -> Run:
    if version == "v1":
        values = [data for kind, data in parts if kind == "values"]
        interrupts = [data["__interrupt__"] for data in values if "__interrupt__" in data]
        state = next(data for data in reversed(values) if "messages" in data)
        return Run(dict(state), tuple(interrupts[-1]) if interrupts else (), parts)
    values = [part for part in parts if part["type"] == "values"]
    return Run(values[-1]["data"], tuple(values[-1].get("interrupts", ())), parts)


MODES = ("values", "updates", "messages", "custom")
WAYS: dict[str, Callable[..., Run]] = {
    "invoke": _invoke,
    "ainvoke": _ainvoke,
    "invoke v2": _invoke_v2,
    **{f"stream {mode}": _streaming(mode, "v1") for mode in MODES},
    **{f"astream {mode}": _astreaming(mode, "v1") for mode in MODES},
    "stream messages v2": _streaming("messages", "v2"),
    "astream updates v2": _astreaming("updates", "v2"),
    "stream_events v3": _v3,
    "astream_events v3": _av3,
    "astream_events v2": _events,
}
