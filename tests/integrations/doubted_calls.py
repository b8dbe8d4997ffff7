"""Calls of a tool `pay` whose amount is in doubt, as a provider with log probabilities sends them."""

from adaptive_reasoner.testing import Reply, ScriptedChatModel


def paying(amount, *, instead=(), to="Ada"):
    """A call that pays `amount` to somebody.

    Args:
        amount: what is paid.
        instead: (other amount, its probability): what nearly stood there; the rest of the mass is the amount's.
        to: who gets it, which is never in doubt.
    """
    chosen = 0.99 - sum(p for _, p in instead)
    others = [(str(other), p) for other, p in instead]
    tokens = [(f'{{"to": "{to}", "amount": ', 0.99), (str(amount), chosen, others), ("}", 0.99)]
    return Reply(tool_calls=[{"name": "pay", "args": {"to": to, "amount": amount}}], tokens=tokens, text="")


def paying_both(first, second, *, doubt_of_second=0.0):
    """Two calls at once, to Ada and to Bob; what is doubted is the second amount."""
    others = [(str(second + 1), doubt_of_second)] if doubt_of_second else []
    tokens = [
        (f'{{"to": "Ada", "amount": {first}}}', 0.99),
        ('{"to": "Bob", "amount": ', 0.99),
        (str(second), 0.99 - doubt_of_second, others),
        ("}", 0.99),
    ]
    calls = [
        {"name": "pay", "args": {"to": "Ada", "amount": first}},
        {"name": "pay", "args": {"to": "Bob", "amount": second}},
    ]
    return Reply(tool_calls=calls, tokens=tokens, text="")


def scripted(*steps, **fields):
    return ScriptedChatModel(steps, logprobs_in_chunks=True, **fields)
