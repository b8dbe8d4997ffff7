"""What a scope that several runs share is counted under."""

from datetime import UTC, date, datetime

from adaptive_reasoner.config import BudgetScope


def tenant_account(tenant: str) -> str:
    """All that a tenant has spent since the ledger began."""
    return f"tenant:{tenant}"


def day_account(day: date | None = None, tenant: str | None = None) -> str:
    """A calendar day in UTC, today by default: the tenant's, or without one that of all calls without one."""
    when = (day or datetime.now(UTC).date()).isoformat()
    return f"day:{when}" if tenant is None else f"day:{when}:{tenant}"


def thread_account(thread_id: str) -> str:
    """All that a thread has spent since the ledger began."""
    return f"thread:{thread_id}"


def account_of(scope: BudgetScope, tenant: str | None, thread_id: str | None) -> str | None:
    """Where a scope is counted; None if it is not shared, or nobody was named."""
    if scope == "day":
        return day_account(tenant=tenant)
    if scope == "tenant" and tenant is not None:
        return tenant_account(tenant)
    return thread_account(thread_id) if scope == "thread" and thread_id is not None else None
