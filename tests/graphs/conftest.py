"""What the graph's tests share: every way to run it, and scripted models that stream like an endpoint."""

import pytest
from budget_runs import obedient, plainly
from graph_ways import WAYS

from adaptive_reasoner import build_reasoning_graph
from adaptive_reasoner.testing import ScriptedChatModel

# One of each kind: sync and async, whole and streamed, in both event formats.
FEW_WAYS = ("invoke", "ainvoke", "stream messages", "astream_events v3")


@pytest.fixture(params=WAYS)
def ask(request):
    """A function from a graph and a question (or a whole input, or a Command) to its `Run`, in one of the ways."""
    return _asking(request.param)


@pytest.fixture(params=FEW_WAYS)
def ask_few(request):
    """`ask` in a few ways, for what does not depend on them much."""
    return _asking(request.param)


def _asking(way):
    def ask(graph, given="How much is it?", **options):
        given = {"messages": [("user", given)]} if isinstance(given, str) else given
        return WAYS[way](graph, given, **options)

    ask.way = way
    return ask


@pytest.fixture
def scripted():
    """A function from steps to a model whose stream carries log probabilities chunk by chunk, as OpenAI's does."""

    def make(*steps, **fields):
        return ScriptedChatModel(steps, logprobs_in_chunks=True, **fields)

    return make


@pytest.fixture
def build(scripted):
    """A function from steps to a graph around one scripted model, which it carries as `.model`."""

    def make(*steps, **options):
        model = scripted(*steps)
        graph = build_reasoning_graph(model, **options)
        graph.model = model
        return graph

    return make


@pytest.fixture
def ledger():
    """An empty ledger in memory."""
    pytest.importorskip("sqlalchemy", reason="the extra `budgets` is not installed")
    from adaptive_reasoner.budget import Ledger

    opened = Ledger.open("sqlite://", wait_seconds=5.0)
    yield opened
    opened.close()


@pytest.fixture
def shared(ledger):
    """A function from budgets to a graph that counts them in `ledger`, around a model that is always `obedient`."""

    def make(*budgets, model=None, checkpointer=None, **fields):
        model = model or ScriptedChatModel([obedient], cycle=True, logprobs_in_chunks=True, max_tokens=60)
        config = plainly(budget=budgets, ledger=ledger, **fields)
        graph = build_reasoning_graph(model, config=config, checkpointer=checkpointer)
        graph.model = model
        return graph

    return make
