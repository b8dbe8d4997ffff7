"""Who may spend what: hard limits asked before every model call."""

from adaptive_reasoner.budget.allocation import ThinkingShare, TokensPerQuery
from adaptive_reasoner.budget.knapsack import Solution, solve_price
from adaptive_reasoner.budget.limits import Allowance, Spent, allowance, check_scopes

__all__ = [
    "Allowance",
    "Solution",
    "Spent",
    "ThinkingShare",
    "TokensPerQuery",
    "allowance",
    "check_scopes",
    "solve_price",
]
