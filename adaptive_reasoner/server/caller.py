"""Who a request comes from. Without keys there is one caller, who may do everything."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks.

    Attributes:
        key_id: names the key, without telling it; None where none is asked for.
        tenant: whose budgets are used; None: those that hold for everybody.
        scopes: what the key may do; "*" is everything.
    """

    key_id: str | None = None
    tenant: str | None = None
    scopes: frozenset[str] = frozenset({"*"})

    def may(self, scope: str) -> bool:
        """True if the key reaches this far."""
        return "*" in self.scopes or scope in self.scopes

    def owns(self, name: str) -> str:
        """`name`, which holds no slash, in this caller's own space: nobody else's thread has the same."""
        owner = self.tenant or self.key_id
        return f"{owner}/{name}" if owner else name


ANYBODY = Caller()


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks, as whoever checks keys found out."""
    return getattr(connection.state, "caller", ANYBODY)
