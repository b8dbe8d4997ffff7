"""Opens a configuration's ledger once: when a graph is built that needs one, or else when a call does."""

import threading

from adaptive_reasoner.budget.ledger import Ledger
from adaptive_reasoner.budget.opening import default_url
from adaptive_reasoner.config import Budget, ReasonerConfig


class LedgerDoor:
    """The ledger of one graph."""

    def __init__(self, config: ReasonerConfig) -> None:
        self._given = config.ledger
        self._lock = threading.Lock()
        self._opened: Ledger | None = None
        if isinstance(config.ledger, str) or _needs_one(config):
            _ = (
                self.ledger
            )  # a database that cannot be reached is an error of the build, not of the first question

    @property
    def ledger(self) -> Ledger:
        """The ledger that was given, or the one at its URL or the default one.

        Raises:
            MissingExtraError: the extra `budgets` is not installed.
            LedgerError: it cannot be opened.
        """
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> Ledger:
        if self._given is None or isinstance(self._given, str):
            return Ledger.open(self._given or default_url())
        return self._given


def _needs_one(config: ReasonerConfig) -> bool:
    budgets = [*config.budgets]
    for own in (config.tenants or {}).values():
        budgets += [own] if isinstance(own, Budget) else own
    return any(budget.per in ("tenant", "day") for budget in budgets)
