"""What the page says beside answers: what thinking usually takes, and what is used of the budgets."""

import asyncio
from dataclasses import asdict

from adaptive_reasoner.budget.accounts import account_of
from adaptive_reasoner.budget.door import LedgerDoor
from adaptive_reasoner.budget.ledger import Standing
from adaptive_reasoner.config import Budget
from adaptive_reasoner.gate import shipped
from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.server.caller import Caller
from adaptive_reasoner.server.questions import DEEP
from adaptive_reasoner.server.running import Runner
from adaptive_reasoner.thinking.switch import model_name_of


def usual_deep_tokens(runner: Runner) -> float | None:
    """Mean tokens that the deep model wrote when it thought, see `shipped.usual_deep_tokens`."""
    return shipped.usual_deep_tokens(model_name_of(runner.models.behind(DEEP)[0]))


async def budgets_of(runner: Runner, caller: Caller) -> list[Json]:
    """Every budget that holds for this caller, with what is used of those that are shared.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    budgets = _holding(runner, caller)
    accounts = {one.per: account_of(one.per, caller.tenant, None) for one in budgets}
    names = sorted({name for name in accounts.values() if name is not None})
    standings: dict[str, Standing] = {}
    if names:
        standings = await asyncio.to_thread(LedgerDoor(runner.config).ledger.standings, names)
    return [_shown(budget, standings.get(accounts[budget.per] or "")) for budget in budgets]


def _holding(runner: Runner, caller: Caller) -> list[Budget]:
    config = runner.config
    groups = (config.budget, (config.tenants or {}).get(caller.tenant or "", ()))
    return [one for group in groups if group for one in ((group,) if isinstance(group, Budget) else group)]


def _shown(budget: Budget, standing: Standing | None) -> Json:
    used = None if standing is None else asdict(standing.settled + standing.held)
    return {**asdict(budget), "used": used}
