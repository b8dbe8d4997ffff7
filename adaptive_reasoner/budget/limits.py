"""The worst case of the next call against every limit that holds.

A call is allowed only if what is already spent plus the most that the call can cost stays within each
budget; what it really cost is counted afterwards. All budgets hold, so the tightest one decides.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adaptive_reasoner.budget.prices import Price
from adaptive_reasoner.config import Budget

# Fewer output tokens than this cannot hold an answer, so such a call would only waste its input.
LEAST_OUTPUT_TOKENS = 8
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Spent:
    """What a scope has used up, or what one call takes.

    Attributes:
        tokens: input and output tokens.
        model_calls: calls, failed ones too.
        seconds: wall-clock seconds since the scope began; of a tenant or a day, those of its calls added up.
        cost_usd: None once a call of unknown price was made.
    """

    tokens: int = 0
    model_calls: int = 0
    seconds: float = 0.0
    cost_usd: float | None = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        is_known = self.cost_usd is not None and other.cost_usd is not None
        return Spent(
            self.tokens + other.tokens,
            self.model_calls + other.model_calls,
            self.seconds + other.seconds,
            (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if is_known else None,
        )


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
        price: None if the model's price is unknown.
        can_be_capped: the model can be told to generate fewer than `output_tokens`.
        least_output_tokens: fewer than these are of no use.
        seconds: how long it may take; None if only a budget's seconds end it.
    """

    input_tokens: int
    output_tokens: int
    price: Price | None
    can_be_capped: bool = True
    least_output_tokens: int = LEAST_OUTPUT_TOKENS
    seconds: float | None = None

    @property
    def least(self) -> int:
        """The fewest output tokens with which the call may be made."""
        return min(self.output_tokens, self.least_output_tokens) if self.can_be_capped else self.output_tokens

    def cost(self, output_tokens: int) -> float | None:
        """The most US dollars that it costs if it generates `output_tokens`; None if the price is unknown."""
        return None if self.price is None else self.price.worst_cost(self.input_tokens, output_tokens)

    def worst_case(self, allowed: Allowance) -> Spent:
        """The most that it takes within what it is allowed."""
        capped = allowed.max_output_tokens is not None and self.can_be_capped
        output = min(self.output_tokens, allowed.max_output_tokens or 0) if capped else self.output_tokens
        limits = [limit for limit in (self.seconds, allowed.max_seconds) if limit is not None]
        return Spent(self.input_tokens + output, 1, min(limits, default=0.0), self.cost(output))


def allowance(budgets: Sequence[Budget], spent: Mapping[str, Spent], call: NextCall) -> Allowance:
    """Ask every budget about `call`.

    Args:
        budgets: the limits; all hold.
        spent: what each scope ("query", "thread", "tenant", "day") has used so far.
        call: the worst case of the call that is about to be made.
    """
    for budget in budgets:
        refusal = _refusal(budget, spent[budget.per], call)
        if refusal:
            return Allowance(refusal=f"budget per {budget.per}: {refusal}")
    tokens_left = _least(_output_left(budget, spent[budget.per], call) for budget in budgets)
    seconds_left = _least(
        None if budget.max_seconds is None else budget.max_seconds - spent[budget.per].seconds
        for budget in budgets
    )
    capped = None if tokens_left is None else int(min(tokens_left, call.output_tokens))
    return Allowance(max_output_tokens=capped, max_seconds=seconds_left)


def _output_left(budget: Budget, used: Spent, call: NextCall) -> float | None:
    """Output tokens that the budget's tokens and money still pay for; None if neither limits them."""
    by_tokens = None if budget.max_tokens is None else budget.max_tokens - used.tokens - call.input_tokens
    if budget.max_usd is None or call.price is None or not call.price.output:
        return by_tokens
    money = budget.max_usd - (used.cost_usd or 0.0) - (call.cost(0) or 0.0)
    by_money = math.floor(money * _MILLION / call.price.output)
    return _least(
        (by_tokens, max(by_money, call.least))
    )  # that the least fits was asked before, without rounding


def _least(amounts: Iterable[float | None]) -> float | None:
    return min((amount for amount in amounts if amount is not None), default=None)


def _refusal(budget: Budget, used: Spent, call: NextCall) -> str | None:
    if budget.max_model_calls is not None and used.model_calls >= budget.max_model_calls:
        return f"{used.model_calls} of {budget.max_model_calls} model calls are used"
    if budget.max_seconds is not None and used.seconds >= budget.max_seconds:
        return f"{used.seconds:.1f} of {budget.max_seconds:g} seconds are used"
    if budget.max_tokens is not None:
        wanted = used.tokens + call.input_tokens + call.least
        if wanted > budget.max_tokens:
            return f"{used.tokens} of {budget.max_tokens} tokens are used, the next call needs {wanted - used.tokens}"
    return _money_refusal(budget, used, call)


def _money_refusal(budget: Budget, used: Spent, call: NextCall) -> str | None:
    if budget.max_usd is None:
        return None
    least = call.cost(call.least)
    if least is None:
        return "the model's price is unknown, so money cannot be counted"
    if used.cost_usd is None:
        return "a call of unknown price was made, so money cannot be counted"
    if used.cost_usd + least > budget.max_usd:
        return (
            f"{used.cost_usd:.4f} of {budget.max_usd:g} USD are used and the next call may cost {least:.4f}"
        )
    return None
