"""The worst case of the next call against every limit that holds.

A call is allowed only if what is already spent plus the most that the call can cost stays within each
budget; what it really cost is counted afterwards. All budgets hold, so the tightest one decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adaptive_reasoner.config import Budget
from adaptive_reasoner.errors import ConfigurationError

# Fewer output tokens than this cannot hold an answer, so such a call would only waste its input.
LEAST_OUTPUT_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Spent:
    """What a scope has used up.

    Attributes:
        tokens: input and output tokens.
        model_calls: calls, failed ones too.
        seconds: wall-clock seconds since the scope began.
        cost_usd: None once a call of unknown price was made.
    """

    tokens: int = 0
    model_calls: int = 0
    seconds: float = 0.0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """The answer to "may this call be made?".

    Attributes:
        refusal: None if the call may be made, else why not.
        max_output_tokens: the most that the call may generate; None if nothing limits it.
        max_seconds: the most that the call may take; None if no budget limits it.
    """

    refusal: str | None = None
    max_output_tokens: int | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NextCall:
    """The worst case of one call.

    Attributes:
        input_tokens: upper estimate of the prompt.
        output_tokens: tokens that it wants to be able to generate.
        cost_usd: None if the model's price is unknown.
        can_be_capped: the model can be told to generate fewer than `output_tokens`.
    """

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    can_be_capped: bool = True


def allowance(budgets: Sequence[Budget], spent: dict[str, Spent], call: NextCall) -> Allowance:
    """Ask every budget about `call`.

    Args:
        budgets: the limits; all hold.
        spent: what each scope ("query", "thread") has used so far.
        call: the worst case of the call that is about to be made.
    """
    for budget in budgets:
        refusal = _refusal(budget, spent[budget.per], call)
        if refusal:
            return Allowance(refusal=f"budget per {budget.per}: {refusal}")
    tokens_left = _least(
        budget.max_tokens - spent[budget.per].tokens - call.input_tokens
        for budget in budgets
        if budget.max_tokens is not None
    )
    seconds_left = _least(
        budget.max_seconds - spent[budget.per].seconds for budget in budgets if budget.max_seconds is not None
    )
    capped = None if tokens_left is None else int(min(tokens_left, call.output_tokens))
    return Allowance(max_output_tokens=capped, max_seconds=seconds_left)


def check_scopes(budgets: Sequence[Budget]) -> None:
    """Refuse scopes that a single graph cannot keep count of.

    Raises:
        ConfigurationError: for a budget per tenant or day.
    """
    for budget in budgets:
        if budget.per not in {"query", "thread"}:
            raise ConfigurationError(
                f"Budget(per={budget.per!r}) needs a ledger that all processes share, which this version does "
                'not have; use per="query" or per="thread".'
            )


def _least(amounts: Iterable[float]) -> float | None:
    return min(amounts, default=None)


def _refusal(budget: Budget, used: Spent, call: NextCall) -> str | None:
    if budget.max_model_calls is not None and used.model_calls >= budget.max_model_calls:
        return f"{used.model_calls} of {budget.max_model_calls} model calls are used"
    if budget.max_seconds is not None and used.seconds >= budget.max_seconds:
        return f"{used.seconds:.1f} of {budget.max_seconds:g} seconds are used"
    if budget.max_tokens is not None:
        least = min(call.output_tokens, LEAST_OUTPUT_TOKENS) if call.can_be_capped else call.output_tokens
        wanted = used.tokens + call.input_tokens + least
        if wanted > budget.max_tokens:
            return f"{used.tokens} of {budget.max_tokens} tokens are used, the next call needs {wanted - used.tokens}"
    return _money_refusal(budget, used, call)


def _money_refusal(budget: Budget, used: Spent, call: NextCall) -> str | None:
    if budget.max_usd is None:
        return None
    if used.cost_usd is None or call.cost_usd is None:
        return "the model's price is unknown, so money cannot be counted"
    if used.cost_usd + call.cost_usd > budget.max_usd:
        return f"{used.cost_usd:.4f} of {budget.max_usd:g} USD are used and the next call may cost {call.cost_usd:.4f}"
    return None
