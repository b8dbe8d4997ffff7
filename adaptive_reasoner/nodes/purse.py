"""The budget's question before every model call."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.budget import Allowance, Ledger, PriceTable, Spent, allowance
from adaptive_reasoner.budget.accounts import account_of
from adaptive_reasoner.budget.door import LedgerDoor
from adaptive_reasoner.budget.ledger import Claim, Standing, narrowed
from adaptive_reasoner.budget.limits import LEAST_OUTPUT_TOKENS, NextCall
from adaptive_reasoner.budget.prices import FREE, Price
from adaptive_reasoner.budget.tokens import count_tokens
from adaptive_reasoner.config import Budget, BudgetScope, ReasonerConfig
from adaptive_reasoner.errors import LedgerError
from adaptive_reasoner.nodes.best_round import answered_by_deep
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelRequest
from adaptive_reasoner.nodes.spending import rounds_of, run_spent, spent_by_scope
from adaptive_reasoner.state import AnsweringNode, ReasoningState
from adaptive_reasoner.thinking import (
    is_embedded,
    model_name_of,
    own_limit,
    second_prompt_tokens,
    takes_max_tokens,
)

Number = TypeVar("Number", int, float)

# What a call is taken to generate at most where no limit is known: of a model that can be capped, and of others.
CAPPED_OUTPUT_TOKENS = 4096
DEFAULT_OUTPUT_TOKENS = 1024
# A thought shorter than this, and the answer after it, is not worth its price.
LEAST_THOUGHT_TOKENS = 48
# Room for what a refine request adds to the thread, in tokens.
_PROMPT_MARGIN = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that somebody wants to make.

    Attributes:
        state: the run so far.
        settings: the run's settings; its budgets all hold.
        node: who asks.
        request: what is sent, if it is known already; taken to be the thread and its newest answer otherwise.
        model: who is called, if it is not the one that `node` calls.
        max_output_tokens: the asker's own limit.
    """

    state: ReasoningState
    settings: CallSettings
    node: AnsweringNode
    request: ModelRequest | None = None
    model: BaseChatModel | None = None
    max_output_tokens: int | None = None

    @property
    def output_limit(self) -> int | None:
        """The asker's limit, or the one that the call brings, whichever is less."""
        own: int | None = self.request.kwargs.get("max_tokens") if self.request else None
        return _least(self.max_output_tokens, own)


class Purse:
    """Knows the models' names, limits and prices and asks the budgets about the next call.

    What this query and its thread have used is in the state; what a tenant or a day has used is in the ledger, and
    so is the thread's where a ledger is in use: then runs of one thread at the same time hold its budget together.
    """

    def __init__(self, config: ReasonerConfig, fast: BaseChatModel, deep: BaseChatModel) -> None:
        self._config = config
        self._fast, self._deep = fast, deep
        self._prices = config.prices or PriceTable.default()
        self._door = LedgerDoor(config)
        self._seen: tuple[tuple[str, tuple[str, ...]], dict[str, Standing]] = (("", ()), {})

    @property
    def ledger(self) -> Ledger:
        """Where shared budgets are counted, opened when it is first needed."""
        return self._door.ledger

    def ask(
        self,
        state: ReasoningState,
        settings: CallSettings,
        node: AnsweringNode,
        request: ModelRequest | None = None,
        model: BaseChatModel | None = None,
    ) -> Allowance:
        """May `node` make a model call, as things are now? Nothing is reserved, see `claim`."""
        own, call = self.within_own(Asked(state, settings, node, request, model))
        accounts = self.accounts(settings)
        if own.refusal or not accounts:
            return own
        standings = self._standings_for(settings.task, tuple(accounts.values()))
        settled = {scope: standings[name].settled for scope, name in accounts.items()}
        return tightest(own, allowance(_counted_in(accounts, settings), settled, narrowed(call, own)))

    def within_own(self, asked: Asked) -> tuple[Allowance, NextCall]:
        """What the budgets that are counted in the state allow, and the call's worst case without any budget."""
        spent = spent_by_scope(asked.state)
        call = self._next_call(asked)
        calls, most = run_spent(asked.state).model_calls, self._config.max_model_calls
        if calls >= most:
            return Allowance(refusal=f"max_model_calls: {calls} of {most} model calls are used"), call
        limit = Allowance(max_output_tokens=_least(self._config.max_output_tokens, asked.output_limit))
        own = [one for one in asked.settings.budgets if one.per in spent]
        return tightest(limit, allowance(own, spent, call)), call

    def claim(self, asked: Asked, own: Allowance, call: NextCall) -> Claim | None:
        """What to reserve in the ledger for a call that is allowed so far; None if no shared budget holds."""
        accounts, settings = self.accounts(asked.settings), asked.settings
        if not accounts:
            return None
        made = run_spent(asked.state).model_calls
        key = f"{settings.thread_id or ''}/{settings.task}/{made}"
        return Claim(key, accounts, _counted_in(accounts, settings), narrowed(call, own), is_patient=True)

    def accounts(self, settings: CallSettings) -> dict[str, str]:
        """The account of each scope that is counted in the ledger, empty if no budget needs one."""
        scopes: set[BudgetScope] = {budget.per for budget in settings.budgets}
        in_use = self._config.ledger is not None or bool(scopes & {"tenant", "day"})
        named = {scope: account_of(scope, settings.tenant, settings.thread_id) for scope in scopes if in_use}
        return {scope: name for scope, name in named.items() if name is not None}

    def standings(self, settings: CallSettings) -> dict[str, Spent]:
        """What is used of each account, reservations included; nothing if the ledger cannot be read any more."""
        names = sorted(self.accounts(settings).values())
        found: dict[str, Standing] = {}
        with suppress(LedgerError):  # the answer is there and paid for
            found = self.ledger.standings(names) if names else {}
        return {name: one.settled + one.held for name, one in found.items()}

    def price_of(self, model: BaseChatModel) -> Price | None:
        """The model's price, nothing for the embedded one; None if it is unknown."""
        return FREE if is_embedded(model) else self._prices.price_of(model_name_of(model))

    def _standings_for(self, task: str, names: tuple[str, ...]) -> dict[str, Standing]:
        """The accounts as one run of a node sees them: the gate asks about two ways, and reads them once."""
        seen = self._seen
        if not task or seen[0] != (task, names):
            seen = self._seen = ((task, names), self.ledger.standings(names))
        return seen[1]

    def _next_call(self, asked: Asked) -> NextCall:
        model, request, state = asked.model or self._model_of(asked), asked.request, asked.state
        if not asked.settings.budgets:  # nobody will look at it
            return NextCall(0, 0, None)
        newest = state.get("candidates", [])[-1:]
        prompt = request.messages if request else [*state.get("messages", []), *newest]
        count = count_tokens(prompt, model_name_of(model), request.kwargs.get("tools", ()) if request else ())
        # An approximate count may be short by a third; a budget must hold all the same.
        tokens = count.tokens if count.exact else count.tokens * 4 // 3
        tokens += second_prompt_tokens(request.kwargs, tokens) if request else 0
        most = self._output_limit(model)
        return NextCall(
            input_tokens=tokens + (0 if request else _PROMPT_MARGIN),
            output_tokens=min(most, asked.output_limit or most),
            price=self.price_of(model),
            can_be_capped=takes_max_tokens(model),
            least_output_tokens=LEAST_THOUGHT_TOKENS if asked.node == "deep_think" else LEAST_OUTPUT_TOKENS,
            seconds=self._config.model_timeout_seconds,
        )

    def _model_of(self, asked: Asked) -> BaseChatModel:
        refines_deep = asked.node == "refine" and answered_by_deep(rounds_of(asked.state))
        return self._deep if asked.node == "deep_think" or refines_deep else self._fast

    def _output_limit(self, model: BaseChatModel) -> int:
        """The most that one call of `model` generates."""
        if not takes_max_tokens(model):
            return self._config.max_output_tokens or DEFAULT_OUTPUT_TOKENS
        own = own_limit(model) or (model.profile or {}).get("max_output_tokens")
        known = [limit for limit in (self._config.max_output_tokens, own) if limit]
        return min(known, default=CAPPED_OUTPUT_TOKENS)


def tightest(one: Allowance, other: Allowance) -> Allowance:
    """What both allow."""
    return replace(
        one,
        refusal=one.refusal or other.refusal,
        max_output_tokens=_least(one.max_output_tokens, other.max_output_tokens),
        max_seconds=_least(one.max_seconds, other.max_seconds),
    )


def _counted_in(accounts: dict[str, str], settings: CallSettings) -> list[Budget]:
    return [budget for budget in settings.budgets if budget.per in accounts]


def _least(one: Number | None, other: Number | None) -> Number | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)
