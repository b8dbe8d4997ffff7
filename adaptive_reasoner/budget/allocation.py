"""Budgets that are kept on average: a price of thinking that triage, gate and refinement all have to pay.

`ReasonerConfig(allocation=ThinkingShare(0.3))`: at most 30 % of the queries think, those that gain most.
`ReasonerConfig(allocation=TokensPerQuery(400))`: 400 tokens a query on average, spent where they gain most.
Both observe every query that is handed off. A hard limit is a `Budget`; both may be given.
"""

import math
import threading
from collections.abc import Mapping
from typing import Any, Literal, Self, cast

from adaptive_reasoner.budget.dual_price import DualPrice, Steps
from adaptive_reasoner.config import Spending, ThinkingPrice
from adaptive_reasoner.errors import ConfigurationError

Sharing = Literal["all", "tenant"]
_VERSION = 1
_THOUSAND = 1000.0
# Tokens of a thinking call before the first one was seen, as a multiple of the budget of one query.
_FIRST_GUESS = 2.0
# Of the mean of the thinking calls' tokens: how many calls it remembers.
_REMEMBERED = 200


class _Priced:
    """One price for all queries, or one a tenant, behind a lock; plain JSON in and out."""

    kind: str

    def __init__(self, first: DualPrice, per: Sharing) -> None:
        if per not in ("all", "tenant"):
            raise ConfigurationError(f'per is {per!r}; use "all" or "tenant".')
        self._first, self._per = first, per
        self._prices: dict[str, DualPrice] = {}
        self._lock = threading.Lock()

    def _of(self, tenant: str | None) -> DualPrice:
        """The tenant's price; the caller holds the lock."""
        key = tenant or "" if self._per == "tenant" else ""
        if key not in self._prices:
            self._prices[key] = self._first.restored(self._first.to_json())
        return self._prices[key]

    def state(self) -> dict[str, Any]:
        """Plain JSON to keep; another process goes on from it with `restore`."""
        with self._lock:
            prices = {key: price.to_json() for key, price in self._prices.items()}
            return {"version": _VERSION, "kind": self.kind, "prices": prices, **self._learned()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Go on where `state` was taken; returns itself.

        Raises:
            ConfigurationError: it is no state of this kind of allocation; nothing is changed.
        """
        given: Any = state
        fields: dict[str, Any] = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        prices = fields.get("prices")
        fits = fields.get("version") == _VERSION and fields.get("kind") == self.kind
        if not fits or not isinstance(prices, dict):
            raise ConfigurationError(f"This is no state of {type(self).__name__}: {str(state)[:80]}.")
        kept = cast("dict[str, Any]", prices)
        restored = {key: self._first.restored(price) for key, price in kept.items()}
        with self._lock:
            self._learn(state)
            self._prices = restored
        return self

    def _learned(self) -> dict[str, Any]:
        return {}

    def _learn(self, state: Mapping[str, Any]) -> None:
        """Take over what `_learned` gave, or raise a ConfigurationError."""


class ThinkingShare(_Priced):
    """At most a share of the queries calls the deep model, those where it is expected to gain most.

    Fast answers and refining are free under it. Queries that a rule or their caller sends to the deep model
    count, too.
    """

    kind = "thinking_share"

    def __init__(
        self,
        most: float,
        *,
        least: float = 0.0,
        start_price: float = 0.0,
        per: Sharing = "all",
        steps: Steps | None = None,
    ) -> None:
        """Hold the share of thinking queries between `least` and `most`.

        Args:
            most: in (0, 1].
            least: in [0, most]. Below it thinking is paid for, until it is reached, even where no gain is expected;
                0 leaves unspent what is not expected to gain.
            start_price: in P(right) a query that thinks, as `solve_price` finds it in traces.
            per: one price for "all" queries, or one for each "tenant".
            steps: how fast the price moves.

        Raises:
            ConfigurationError: a value out of its range.
        """
        if not _is_number(most) or not 0 < most <= 1:
            raise ConfigurationError(
                f"ThinkingShare({most!r}): give a share of the queries, more than 0, at most 1."
            )
        if not _is_number(least) or not 0 <= least <= most:
            raise ConfigurationError(f"ThinkingShare(least={least!r}): it must lie between 0 and {most}.")
        super().__init__(DualPrice(start=start_price, steps=steps), per)
        self._most, self._least = most, least

    def price(self, tenant: str | None = None) -> ThinkingPrice:
        """What a thinking query costs now, in P(right)."""
        with self._lock:
            return ThinkingPrice(per_call=self._of(tenant).value)

    def observe(self, spending: Spending, tenant: str | None = None) -> None:
        """Move the price by one finished query."""
        with self._lock:
            self._of(tenant).observe(float(spending.thinking_calls > 0), self._most, least=self._least)

    def report(self, tenant: str | None = None) -> dict[str, Any]:
        """What is kept and how well so far: plain JSON, for the run's report and for monitoring."""
        with self._lock:
            price = self._of(tenant)
            return {
                "kind": self.kind,
                "most": self._most,
                "least": self._least,
                "price_per_thinking_query": price.value,
                "share": price.mean_spent,
                "queries": price.queries,
            }


class TokensPerQuery(_Priced):
    """So many tokens a query on average, input and output, spent where they gain most.

    Fast answers, refining and thinking all pay the same price a token. It cannot go below what the fast answers
    alone take.
    """

    kind = "tokens_per_query"

    def __init__(
        self, tokens: float, *, start_price: float = 0.0, per: Sharing = "all", steps: Steps | None = None
    ) -> None:
        """Hold the mean number of tokens a query at `tokens` or below.

        Args:
            tokens: > 0.
            start_price: in P(right) for as many tokens as a thinking call takes.
            per: one price for "all" queries, or one for each "tenant".
            steps: how fast the price moves.

        Raises:
            ConfigurationError: a value out of its range.
        """
        if not _is_number(tokens) or tokens <= 0:
            raise ConfigurationError(f"TokensPerQuery({tokens!r}): give a number of tokens greater than 0.")
        super().__init__(DualPrice(start=start_price, steps=steps), per)
        self._tokens = tokens
        # The unit of the price: tokens of a typical thinking call, for all tenants together.
        self._call_tokens, self._calls = _FIRST_GUESS * tokens, 0

    def price(self, tenant: str | None = None) -> ThinkingPrice:
        """What 1,000 tokens cost now, in P(right)."""
        with self._lock:
            per_token = self._of(tenant).value / self._call_tokens
            return ThinkingPrice(per_1000_tokens=_THOUSAND * per_token, tokens_a_call=self._call_tokens)

    def observe(self, spending: Spending, tenant: str | None = None) -> None:
        """Move the price by one finished query."""
        with self._lock:
            if spending.thinking_calls:
                self._see_call(spending.thinking_tokens / spending.thinking_calls)
            self._of(tenant).observe(spending.tokens, self._tokens, unit=self._call_tokens)

    def _see_call(self, tokens: float) -> None:
        self._calls += 1
        self._call_tokens += (max(tokens, 1.0) - self._call_tokens) / min(self._calls, _REMEMBERED)

    def report(self, tenant: str | None = None) -> dict[str, Any]:
        """What is kept and how well so far: plain JSON, for the run's report and for monitoring."""
        with self._lock:
            price = self._of(tenant)
            return {
                "kind": self.kind,
                "tokens": self._tokens,
                "price_per_1000_tokens": _THOUSAND * price.value / self._call_tokens,
                "tokens_a_thinking_call": self._call_tokens,
                "tokens_a_query": price.mean_spent,
                "queries": price.queries,
            }

    def _learned(self) -> dict[str, Any]:
        return {"call_tokens": self._call_tokens, "calls": self._calls}

    def _learn(self, state: Mapping[str, Any]) -> None:
        tokens, calls = state.get("call_tokens"), state.get("calls")
        if not _is_number(tokens) or not isinstance(calls, int) or calls < 0 or float(tokens or 0) <= 0:
            raise ConfigurationError(
                f"This is no state of TokensPerQuery: {tokens!r} tokens in {calls!r} calls."
            )
        self._call_tokens, self._calls = float(tokens or 0), calls


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
