"""What the graph itself costs: a model that answers at once, in our graph, in a bare LangGraph and in an agent.

    python benchmarks/overhead.py --rounds 400 --imports 15

The three take turns, round by round, so that whatever else the machine does falls on all alike. The bare graph
has as many nodes as our fast path (triage, fast_answer, confidence_gate, hand_off): one calls the same model,
three do nothing. The model's answer is ready before the clock starts: its time would flatter the ratio. Imports
are timed in fresh processes, in turns too.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Any, TypedDict

import numpy as np
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from measuring.report import Progress, print_table, provenance, write_json
from pydantic import PrivateAttr

from adaptive_reasoner import build_reasoning_graph

QUESTION = "What is 12 + 30?"
_WARM_UP = 20
_IMPORTS = {
    "langgraph.graph": "import langgraph.graph",
    "adaptive_reasoner": "import adaptive_reasoner",
    "adaptive_reasoner.build_reasoning_graph": "from adaptive_reasoner import build_reasoning_graph",
}
Runner = Callable[[], Any]


def _entries() -> list[dict[str, Any]]:
    """Four certain tokens with 20 alternatives each, as an endpoint sends them."""
    listed = [
        {"token": f" {n}", "logprob": -9.0 - n, "bytes": list(f" {n}".encode())} for n in range(100, 119)
    ]
    tokens = ("Answer", ":", " 4", "2")
    own = [{"token": token, "logprob": -0.001, "bytes": list(token.encode())} for token in tokens]
    return [{**entry, "top_logprobs": [entry, *listed]} for entry in own]


class InstantChatModel(BaseChatModel):
    """Answers at once, sure of it, with log probabilities and usage in place."""

    model_name: str = "instant"
    logprobs: bool | None = None
    top_logprobs: int | None = None
    _sent: list[dict[str, Any]] = PrivateAttr(default_factory=_entries)

    @property
    def _llm_type(self) -> str:
        return "instant"

    def _generate(
        self,
        messages: list[BaseMessage],  # noqa: ARG002 - the same whatever is asked
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> ChatResult:
        message = AIMessage(
            "Answer: 42",
            response_metadata={"model_name": self.model_name, "logprobs": {"content": self._sent}},
            usage_metadata={"input_tokens": 12, "output_tokens": 4, "total_tokens": 16},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


class _BareState(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def build_bare_graph(model: BaseChatModel) -> Any:
    """Four nodes in a row, of which the second calls the model and the others do nothing."""

    def answer(state: _BareState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    def nothing(_state: _BareState) -> dict[str, Any]:
        return {}

    graph = StateGraph(_BareState)
    graph.add_node("first", nothing)
    graph.add_node("answer", answer)
    graph.add_node("third", nothing)
    graph.add_node("last", nothing)
    names = [START, "first", "answer", "third", "last", END]
    for before, after in pairwise(names):
        graph.add_edge(before, after)
    return graph.compile()


def build_runners() -> dict[str, Runner]:
    """One way each to get the same answer."""
    model = InstantChatModel()
    compiled: dict[str, Any] = {
        "bare graph": build_bare_graph(model),
        "adaptive_reasoner": build_reasoning_graph(model),
        "create_agent": create_agent(model),
    }

    def runner(graph: Any) -> Runner:
        return lambda: graph.invoke({"messages": [HumanMessage(QUESTION)]})

    return {name: runner(graph) for name, graph in compiled.items()}


def time_rounds(
    runners: dict[str, Runner], rounds: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Milliseconds of each run by the clock and of the processor; the order changes from round to round."""
    for run in runners.values():
        for _ in range(_WARM_UP):
            run()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
    names, report = list(runners), Progress("rounds", rounds)
    for index in range(rounds):
        for name in names[index % len(names) :] + names[: index % len(names)]:
            started, worked = time.perf_counter(), time.process_time()
            runners[name]()
            times[name].append((time.perf_counter() - started, time.process_time() - worked))
        if (index + 1) % 50 == 0 or index + 1 == rounds:
            report(index + 1)
    both = {name: np.array(values) * 1e3 for name, values in times.items()}
    return {name: one[:, 0] for name, one in both.items()}, {name: one[:, 1] for name, one in both.items()}


def check_fast_path() -> None:
    """The path that is timed must be triage, one answer, one accepting verdict, hand-off."""
    graph = build_reasoning_graph(InstantChatModel())
    rounds = graph.invoke({"messages": [HumanMessage(QUESTION)]})["reasoning"]["rounds"]
    if [(one["node"], one["verdict"]) for one in rounds] != [("fast_answer", "accept")]:
        raise SystemExit(f"The fast path was not taken: {rounds}")


def time_imports(count: int) -> dict[str, np.ndarray]:
    """Milliseconds of each import in fresh processes with their byte code cached; a bare start is taken off."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    statements = {"": "pass", **_IMPORTS}
    times: dict[str, list[float]] = {name: [] for name in statements}
    report = Progress("imports", count)
    for index in range(-1, count):  # the first round writes the byte code
        for name, statement in statements.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True, env=environment)  # noqa: S603
            if index >= 0:
                times[name].append((time.perf_counter() - started) * 1e3)
        report(index + 1)
    bare = np.array(times.pop(""))
    return {name: np.array(values) - np.median(bare) for name, values in times.items()}


def ratio_interval(ours: np.ndarray, theirs: np.ndarray, quantile: float, seed: int = 0) -> list[float]:
    """95 % interval of the quantiles' ratio, from 2,000 resampled sets of rounds (both of a round together)."""
    rows = np.random.default_rng(seed).integers(0, len(ours), (2000, len(ours)))
    ratios = np.quantile(ours[rows], quantile, axis=1) / np.quantile(theirs[rows], quantile, axis=1)
    return np.quantile(ratios, [0.025, 0.975]).tolist()


def summarise(times: dict[str, np.ndarray], reference: str) -> dict[str, Any]:
    """Median, 95th percentile and their ratios to the reference."""
    result: dict[str, Any] = {}
    for name, values in times.items():
        result[name] = {"rounds": len(values)}
        for label, quantile in (("p50", 0.5), ("p95", 0.95)):
            other = times[reference]
            result[name][f"{label}_ms"] = float(np.quantile(values, quantile))
            result[name][f"{label}_ratio"] = float(
                np.quantile(values, quantile) / np.quantile(other, quantile)
            )
            result[name][f"{label}_ratio_interval"] = ratio_interval(values, other, quantile)
    return result


def show(title: str, summary: dict[str, Any]) -> None:
    print(f"\n{title}")
    header = ["", "p50 ms", "ratio", "95 %", "p95 ms", "ratio"]
    rows = [
        [
            name,
            f"{one['p50_ms']:.2f}",
            f"{one['p50_ratio']:.2f}",
            "{:.2f}-{:.2f}".format(*one["p50_ratio_interval"]),
            f"{one['p95_ms']:.2f}",
            f"{one['p95_ratio']:.2f}",
        ]
        for name, one in summary.items()
    ]
    print_table(header, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--imports", type=int, default=15)
    options = parser.parse_args(arguments)
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    check_fast_path()
    load = os.getloadavg()
    runs, runs_cpu = (
        summarise(times, "bare graph") for times in time_rounds(build_runners(), options.rounds)
    )
    imports = summarise(time_imports(options.imports), "langgraph.graph")
    show("one question through a graph of four nodes (goal: p50 ratio <= 2)", runs)
    show("the same in processor time, which other work on the machine hardly touches", runs_cpu)
    show("import in a fresh process, start of Python taken off (goal: p50 ratio <= 1.3)", imports)
    machine = {"processors": os.cpu_count(), "load_average_1_5_15_minutes": load}
    results = {**machine, "runs": runs, "runs_processor_time": runs_cpu, "imports": imports}
    write_json("overhead", {**provenance("overhead.py", vars(options)), **results})


if __name__ == "__main__":
    main()
