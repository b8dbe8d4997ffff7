"""Who may spend what: hard limits asked before every model call."""

from adaptive_reasoner.budget.allocation import ThinkingShare, TokensPerQuery
from adaptive_reasoner.budget.knapsack import Solution, solve_price
from adaptive_reasoner.budget.ledger import Ledger
from adaptive_reasoner.budget.limits import Allowance, Spent, allowance
from adaptive_reasoner.budget.prices import Price, PriceTable

__all__ = [
    "Allowance",
    "Ledger",
    "Price",
    "PriceTable",
    "Solution",
    "Spent",
    "ThinkingShare",
    "TokensPerQuery",
    "allowance",
    "solve_price",
]
