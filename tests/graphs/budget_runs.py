"""What the tests of shared budgets have in common: a ledger in memory, and a model whose tokens are known."""

from adaptive_reasoner import ReasonerConfig
from adaptive_reasoner.budget import Price, PriceTable
from adaptive_reasoner.testing import Reply

ACME = {"tenant": "acme"}
USAGE = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
PRICES = PriceTable({"scripted": Price(input=100.0, output=200.0)})


def obedient(call):
    """Writes 20 tokens, or as many as it may."""
    written = min(20, call.kwargs.get("max_tokens", 20))
    usage = {"input_tokens": 10, "output_tokens": written, "total_tokens": 10 + written}
    return Reply(text="42", probability=0.999, usage=usage, delay_seconds=0.01)


def plainly(**fields):
    """Every question is answered once."""
    return ReasonerConfig(triage="off", max_refinements=0, **fields)


def used(ledger, account="tenant:acme"):
    return ledger.standings([account])[account]
