"""Settings about budgets that cannot be meant."""

import math

import pytest

from adaptive_reasoner.budget import Price, PriceTable
from adaptive_reasoner.budget.accounts import account_of
from adaptive_reasoner.config import Budget, ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError


@pytest.mark.parametrize("limit", [0, -1, math.nan, math.inf, True, "9"])
@pytest.mark.parametrize("field", ["max_tokens", "max_model_calls", "max_usd", "max_seconds"])
@pytest.mark.parametrize("per", ["query", "tenant"])
def test_a_limit_is_a_number_above_zero(field, limit, per):
    with pytest.raises(ConfigurationError, match=f"Budget.{field} is {limit!r}"):
        Budget(**{field: limit}, per=per)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ledger", ""),
        ("ledger", 7),
        ("ledger", PriceTable),
        ("prices", {"tiny": Price(1.0, 2.0)}),
        ("prices", "prices.json"),
        ("tenants", ["acme"]),
        ("tenants", {"": Budget(max_tokens=9)}),
        ("tenants", {7: Budget(max_tokens=9)}),
        ("tenants", {"acme": 9}),
        ("tenants", {"acme": (9,)}),
    ],
)
def test_a_setting_of_another_kind_is_refused_by_its_name(field, value):
    with pytest.raises(ConfigurationError, match=field):
        ReasonerConfig(**{field: value})


def test_a_tenants_own_budgets_come_beside_everybodys():
    every, own = Budget(max_tokens=9), Budget(max_usd=1.0, per="day")
    config = ReasonerConfig(budget=every, tenants={"acme": own, "other": ()})
    assert config.budgets_of("acme") == (every, own)
    assert config.budgets_of("other") == config.budgets_of(None) == (every,)


@pytest.mark.parametrize(
    ("scope", "tenant", "thread", "account"),
    [
        ("tenant", "acme", "1", "tenant:acme"),
        ("tenant", None, "1", None),
        ("thread", "acme", "1", "thread:1"),
        ("thread", "acme", None, None),
        ("query", "acme", "1", None),
    ],
)
def test_a_scope_is_counted_in_one_account(scope, tenant, thread, account):
    assert account_of(scope, tenant, thread) == account
