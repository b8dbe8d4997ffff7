"""How long a client waits for the first token: through the graph and the chat model, beside the bare model.

    python benchmarks/first_token.py --rounds 120 --first-ms 150 --delay-ms 20

Everything talks to one endpoint on this machine over HTTP, a model that streams sure words at a fixed pace, once
without any delay and once with a realistic one (the first token after `--first-ms`, each further one after
`--delay-ms`). The ways take turns, round by round, in changing order, so that whatever else the machine does falls
on all alike. "First token" is the first piece that holds words: of the answer or, where a policy shows drafts as
thoughts, of the draft.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from measuring.report import RESULTS, Progress, print_table, provenance, write_json

from adaptive_reasoner import AdaptiveChatModel, ReasonerConfig, build_reasoning_graph
from adaptive_reasoner.testing import logprobs_of, serve_openai

QUESTION = "What is 12 + 30?"
BARE = "bare model"
_WORDS = ("Answer", ":", " 42", " because", " 12", " and", " 30", " are", " 42", ".")
_WARM_UP = 5
Way = Callable[[], float]


class PacedChatModel(BaseChatModel):
    """Streams ten sure words, the first after `first_seconds`, each further one after `delay_seconds`."""

    first_seconds: float = 0.0
    delay_seconds: float = 0.0
    logprobs: bool | None = None
    top_logprobs: int | None = None

    @property
    def _llm_type(self) -> str:
        return "paced"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],  # noqa: ARG002 - the same whatever is asked
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> Iterator[ChatGenerationChunk]:
        for place, word in enumerate(_WORDS):
            time.sleep(self.delay_seconds if place else self.first_seconds)
            others = [(f"{word}~{n}", 0.01 / 19) for n in range(19)]
            shown = {"logprobs": logprobs_of([(word, 0.99, others)])}
            yield ChatGenerationChunk(message=AIMessageChunk(word, response_metadata=shown))


def ways_to(base_url: str, config: ReasonerConfig) -> dict[str, Way]:
    """Seconds to the first token of one question, by way."""
    model = ChatOpenAI(base_url=base_url, api_key="none", model="paced", max_retries=0)
    graph = build_reasoning_graph(model, config=config)
    drafts, held = (
        AdaptiveChatModel(fast=model, config=config, stream_policy=policy)
        for policy in ("drafts_as_thoughts", "after_verdict")
    )
    asked = [HumanMessage(QUESTION)]
    with_logprobs = {"logprobs": True, "top_logprobs": config.top_logprobs}

    def in_graph() -> float:
        return _first(part[0] for part in graph.stream({"messages": asked}, stream_mode="messages"))

    def in_graph_async() -> float:
        return asyncio.run(_afirst(graph.astream({"messages": asked}, stream_mode="messages")))

    return {
        BARE: lambda: _first(model.stream(asked, **with_logprobs)),
        "bare model, no log probabilities": lambda: _first(model.stream(asked)),
        'graph.stream("messages")': in_graph,
        'graph.astream("messages")': in_graph_async,
        "AdaptiveChatModel, drafts_as_thoughts": lambda: _first(drafts.stream(asked)),
        "AdaptiveChatModel, after_verdict": lambda: _first(held.stream(asked)),
    }


def _first(pieces: Iterator[Any]) -> float:
    """Seconds to the first piece with words; the rest of the stream is read, too."""
    started, found = time.perf_counter(), None
    for piece in pieces:
        if found is None and _has_words(piece):
            found = time.perf_counter() - started
    if found is None:
        raise SystemExit("A stream held no words.")
    return found


async def _afirst(parts: Any) -> float:
    started, found = time.perf_counter(), None
    async for part in parts:
        if found is None and _has_words(part[0]):
            found = time.perf_counter() - started
    if found is None:
        raise SystemExit("A stream held no words.")
    return found


def _has_words(piece: Any) -> bool:
    return any(block.get("text") or block.get("reasoning") for block in piece.content_blocks)


def time_rounds(ways: dict[str, Way], rounds: int, label: str) -> dict[str, np.ndarray]:
    """Milliseconds of each way and round; the order changes from round to round."""
    for way in ways.values():
        for _ in range(_WARM_UP):
            way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    names, report = list(ways), Progress(label, rounds)
    for index in range(rounds):
        start = index % len(names)
        for name in names[start:] + names[:start]:
            times[name].append(ways[name]() * 1e3)
        report(index + 1)
    return {name: np.array(values) for name, values in times.items()}


def summarise(times: dict[str, np.ndarray]) -> dict[str, Any]:
    """Medians, 95th percentiles, and their ratios to the bare model with 95 % intervals over resampled rounds."""
    reference = times[BARE]
    rows = np.random.default_rng(0).integers(0, len(reference), (2000, len(reference)))
    found: dict[str, Any] = {}
    for name, values in times.items():
        found[name] = {"rounds": len(values)}
        for label, quantile in (("p50", 0.5), ("p95", 0.95)):
            ours, theirs = (np.quantile(one[rows], quantile, axis=1) for one in (values, reference))
            found[name][f"{label}_ms"] = float(np.quantile(values, quantile))
            ratio = np.quantile(values, quantile) / np.quantile(reference, quantile)
            found[name][f"{label}_ratio"] = float(ratio)
            found[name][f"{label}_ratio_interval"] = np.quantile(ours / theirs, [0.025, 0.975]).tolist()
    return found


def show(title: str, summary: dict[str, Any]) -> None:
    rows = [
        [
            name,
            f"{one['p50_ms']:.1f}",
            f"{one['p50_ratio']:.2f}",
            "{:.2f}-{:.2f}".format(*one["p50_ratio_interval"]),
            f"{one['p95_ms']:.1f}",
            f"{one['p95_ratio']:.2f}",
        ]
        for name, one in summary.items()
    ]
    print(f"\n{title}")
    print_table(["first token", "p50 ms", "ratio", "95 %", "p95 ms", "ratio"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=120)
    parser.add_argument("--first-ms", type=float, default=150.0, help="before the first token")
    parser.add_argument("--delay-ms", type=float, default=20.0, help="before each further token")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    load, results = os.getloadavg(), dict[str, Any]()
    for label, first, delay in (("no delay", 0.0, 0.0), ("paced", options.first_ms, options.delay_ms)):
        paced = PacedChatModel(first_seconds=first / 1e3, delay_seconds=delay / 1e3)
        with serve_openai(paced) as endpoint:
            ways = ways_to(endpoint.base_url, ReasonerConfig())
            results[label] = summarise(time_rounds(ways, options.rounds, label))
        show(f"{label}: {first:g} ms to the first token, {delay:g} ms to each further one", results[label])
    told = {name: value for name, value in vars(options).items() if name != "results"}
    machine = {"processors": os.cpu_count(), "load_average_1_5_15_minutes": load}
    write_json("first_token", {**provenance("first_token.py", told), **machine, **results}, options.results)


if __name__ == "__main__":
    main()
