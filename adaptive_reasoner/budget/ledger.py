"""The contract of a ledger: what all threads, tasks and processes have spent on the budgets that they share.

Before a call its worst case is reserved, in one step with the question whether it fits; after it the rest is given
back. A reservation whose process was killed goes on counting in full: until the run is resumed and its call
settled, or else for ever. So spend may be counted too high for a while, and never too low.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from adaptive_reasoner.budget.limits import Allowance, NextCall, Spent, allowance
from adaptive_reasoner.config import Budget

# A call that other calls' reservations leave less room than this waits for them rather than be cut short.
_ENOUGH_OUTPUT_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Claim:
    """What is asked of the ledger before a call.

    Attributes:
        key: the same whenever the same call of the same run is made anew after a crash.
        accounts: the account that each scope of `budgets` is counted in.
        budgets: the limits; all hold.
        call: its worst case.
        is_patient: rather wait for other calls' reservations than be refused or cut short.
    """

    key: str
    accounts: Mapping[str, str]
    budgets: Sequence[Budget]
    call: NextCall
    is_patient: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """One account.

    Attributes:
        settled: what was spent, reservations that nobody will settle any more included.
        held: what calls under way have reserved.
    """

    settled: Spent
    held: Spent


@dataclass(frozen=True, slots=True)
class Reservation:
    """A worst case that is held until its call is done.

    Attributes:
        id: of its row.
        token: of this holder; whoever takes the reservation over has another.
        accounts: where it is counted.
        held: what is held.
    """

    id: str
    token: str
    accounts: tuple[str, ...]
    held: Spent


@dataclass(frozen=True, slots=True)
class Grant:
    """The ledger's answer to a claim.

    Attributes:
        allowance: what the call may take, or why it may not be made.
        reservation: None if it may not, or should wait.
        should_wait: ask again in a moment: others are about to give back what it needs.
    """

    allowance: Allowance
    reservation: Reservation | None = None
    should_wait: bool = False


class Ledger(ABC):
    """Keeps the accounts; every method is one transaction and safe to call from anywhere at once.

    Attributes:
        wait_seconds: how long a call waits at most for other calls' reservations to be given back.
    """

    wait_seconds: float = 10.0
    # States of a reservation. One that is "reserved" past its lease counts as spent.
    RESERVED: ClassVar[str] = "reserved"
    SETTLED: ClassVar[str] = "settled"
    RELEASED: ClassVar[str] = "released"

    @staticmethod
    def open(url: str, *, wait_seconds: float = 10.0) -> "Ledger":
        """The ledger at `url`, made if it does not exist yet.

        Args:
            url: "sqlite:///budgets.sqlite", "postgresql://user:password@host/database", or the path of an SQLite
                file; "sqlite://" is one in memory.
            wait_seconds: see the attribute.

        Raises:
            MissingExtraError: the extra `budgets` (or `postgres`) is not installed.
            ConfigurationError: the URL is none of these.
            LedgerError: it cannot be opened, or is something else than a ledger.
        """
        from adaptive_reasoner.budget.opening import open_ledger

        return open_ledger(url, wait_seconds)

    @abstractmethod
    def reserve(self, claim: Claim) -> Grant:
        """Hold the worst case of a call, if it fits; a refusal changes nothing."""

    @abstractmethod
    def settle(self, reservation: Reservation, spent: Spent | None) -> None:
        """Count what the call really took and give the rest back; a second time changes nothing.

        Args:
            reservation: as it was granted.
            spent: None if the call was never made.
        """

    @abstractmethod
    def standings(self, accounts: Sequence[str]) -> dict[str, Standing]:
        """What was spent on each account so far; of one that was never used, nothing."""

    @abstractmethod
    def close(self) -> None:
        """Give up the connections."""


def allowed_now(claim: Claim, standings: Mapping[str, Standing]) -> Allowance:
    """What the claim may take of its accounts, of which every reservation is taken off.

    Args:
        claim: its accounts are the keys of `standings`.
        standings: as they are at this moment, and stay until the answer is written.
    """
    used = {scope: standings[name] for scope, name in claim.accounts.items()}
    spent = {scope: one.settled + one.held for scope, one in used.items()}
    return allowance(claim.budgets, spent, claim.call)


def should_wait(claim: Claim, allowed: Allowance, standings: Mapping[str, Standing]) -> bool:
    """True if the claim could take more than it is `allowed` once calls under way have given back what they hold."""
    settled = {scope: standings[name].settled for scope, name in claim.accounts.items()}
    later = allowance(claim.budgets, settled, claim.call)
    return later.refusal is None and (allowed.refusal is not None or _room(later) > _room(allowed))


def is_tight(allowed: Allowance, call: NextCall) -> bool:
    """True if the call is refused, or would be cut short."""
    if allowed.refusal or allowed.max_output_tokens is None:
        return allowed.refusal is not None
    return call.can_be_capped and allowed.max_output_tokens < min(call.output_tokens, _ENOUGH_OUTPUT_TOKENS)


def narrowed(call: NextCall, allowed: Allowance) -> NextCall:
    """The call within what it is allowed so far, for whoever is asked next."""
    output = call.output_tokens if allowed.max_output_tokens is None else allowed.max_output_tokens
    limits = [limit for limit in (call.seconds, allowed.max_seconds) if limit is not None]
    return replace(call, output_tokens=min(call.output_tokens, output), seconds=min(limits, default=None))


def _room(allowed: Allowance) -> float:
    return float("inf") if allowed.max_output_tokens is None else allowed.max_output_tokens
