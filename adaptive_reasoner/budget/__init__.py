"""Who may spend what: hard limits asked before every model call."""

from adaptive_reasoner.budget.limits import Allowance, Spent, allowance, check_scopes

__all__ = ["Allowance", "Spent", "allowance", "check_scopes"]
