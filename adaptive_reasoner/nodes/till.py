"""Where a model call is paid: its worst case is reserved, it is made, and the rest is given back.

Whatever ends the call settles it: an answer, an error, a deadline, a cancellation. Only a process that is killed
leaves its reservation behind; the resumed run finds it under the same key and settles it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from adaptive_reasoner.budget import Allowance, Spent
from adaptive_reasoner.budget.ledger import Claim, Grant, Reservation
from adaptive_reasoner.budget.limits import NextCall
from adaptive_reasoner.errors import BudgetExhaustedError, LedgerError
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest, Outcome, no_usage
from adaptive_reasoner.nodes.purse import Asked, Purse, tightest
from adaptive_reasoner.thinking import takes_max_tokens

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.25


@dataclass(frozen=True, slots=True)
class Wish:
    """A call to make if it is allowed.

    Attributes:
        asked: what the budgets are asked.
        caller: who makes it.
        request: what is sent.
        shortened: the request to send where only so many output tokens are left, fewer than the model would take.
        announce: called once it is allowed, right before it is made.
    """

    asked: Asked
    caller: ModelCaller
    request: ModelRequest
    shortened: Callable[[int], ModelRequest] | None = None
    announce: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class _Ticket:
    """A call that is allowed."""

    caller: ModelCaller
    request: ModelRequest
    call: NextCall
    reservation: Reservation | None
    capped_to: int | None
    started: float


class Till:
    """Pays for calls; the two forms share all but their waiting."""

    def __init__(self, purse: Purse) -> None:
        self._purse = purse

    def call(self, wish: Wish, config: RunnableConfig) -> Outcome:
        """Make the call if the budgets allow it, and count it; never raises what the model raises.

        Raises:
            LedgerError: the ledger cannot be asked; the call is not made.
        """
        own, call = self._purse.within_own(wish.asked)
        claim, asked_at = self._claim(wish, own, call), time.monotonic()
        grant = self._grant(claim)
        ticket = _ticket(wish, call, _later(own, asked_at), grant)
        if isinstance(ticket, Outcome):
            return ticket
        outcome: Outcome | None = None
        try:
            outcome = replace(ticket.caller.call(ticket.request, config), capped_to=ticket.capped_to)
            return outcome
        finally:
            self._settle(ticket, outcome)

    async def acall(self, wish: Wish, config: RunnableConfig) -> Outcome:
        """The same without blocking the event loop."""
        own, call = self._purse.within_own(wish.asked)
        claim, asked_at = self._claim(wish, own, call), time.monotonic()
        grant = await self._agrant(claim)
        ticket = _ticket(wish, call, _later(own, asked_at), grant)
        if isinstance(ticket, Outcome):
            return ticket
        outcome: Outcome | None = None
        try:
            outcome = replace(await ticket.caller.acall(ticket.request, config), capped_to=ticket.capped_to)
            return outcome
        finally:  # shielded: a second cancellation must not keep what the first one gives back
            if ticket.reservation:
                await asyncio.shield(asyncio.to_thread(self._settle, ticket, outcome))

    def _claim(self, wish: Wish, own: Allowance, call: NextCall) -> Claim | None:
        return None if own.refusal else self._purse.claim(wish.asked, own, call)

    def _grant(self, claim: Claim | None) -> Grant | None:
        grant = None
        for attempt, pause in _attempts(claim, self._purse):
            grant = self._reserve(attempt)
            if not grant.should_wait:
                break
            time.sleep(pause)
        return grant

    async def _agrant(self, claim: Claim | None) -> Grant | None:
        grant = None
        for attempt, pause in _attempts(claim, self._purse):
            grant = await self._areserve(attempt)
            if not grant.should_wait:
                break
            await asyncio.sleep(pause)
        return grant

    def _reserve(self, claim: Claim) -> Grant:
        return self._purse.ledger.reserve(claim)

    async def _areserve(self, claim: Claim) -> Grant:
        """Reserve in a thread; a cancelled caller waits for it, and what it got is given back."""
        task = asyncio.ensure_future(asyncio.to_thread(self._reserve, claim))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with suppress(LedgerError):
                reservation = (await task).reservation
                if reservation:
                    await asyncio.to_thread(self._purse.ledger.settle, reservation, None)
            raise

    def _settle(self, ticket: _Ticket, outcome: Outcome | None) -> None:
        """Count what the call took; if the ledger fails now, the worst case stays counted and the answer is kept."""
        if ticket.reservation is None:
            return
        try:
            self._purse.ledger.settle(ticket.reservation, _spent(ticket, outcome))
        except LedgerError as error:
            _LOG.warning("A call stays counted at its worst case: %s", error)


def _attempts(claim: Claim | None, purse: Purse) -> Iterator[tuple[Claim, float]]:
    """The claim again and again, each with the pause after it; at last one that takes what there is."""
    if claim is None:
        return
    started, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
    yield claim, pause
    longest = purse.ledger.wait_seconds  # it is open by now: that may take a while, which is no waiting
    end = started + (longest if claim.call.seconds is None else min(longest, claim.call.seconds))
    while time.monotonic() + pause < end:
        yield claim, pause
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    yield replace(claim, is_patient=False), 0.0


def _later(own: Allowance, asked_at: float) -> Allowance:
    """What the query and its thread allow after the wait for what others hold."""
    if own.max_seconds is None:
        return own
    return replace(own, max_seconds=max(0.0, own.max_seconds - (time.monotonic() - asked_at)))


def _ticket(wish: Wish, call: NextCall, own: Allowance, grant: Grant | None) -> _Ticket | Outcome:
    """The call as it is to be made, or what comes of it if it may not be."""
    allowed = tightest(own, grant.allowance) if grant else own
    if allowed.refusal:
        error = BudgetExhaustedError(f"The call was not made: {allowed.refusal}.")
        return Outcome(AIMessage(""), no_usage(), 0.0, error, refused_by=allowed.refusal)
    limit, request, model = allowed.max_output_tokens, wish.request, wish.caller.model
    capped_to = (
        limit if limit is not None and takes_max_tokens(model) and limit < call.output_tokens else None
    )
    if capped_to is not None and wish.shortened is not None:
        request = wish.shortened(capped_to)
    kwargs = dict(request.kwargs)
    if limit is not None and takes_max_tokens(model):
        kwargs["max_tokens"] = limit
    if wish.announce is not None:
        wish.announce()
    request = replace(request, kwargs=kwargs, max_seconds=allowed.max_seconds)
    return _Ticket(
        wish.caller, request, call, grant.reservation if grant else None, capped_to, time.monotonic()
    )


def _spent(ticket: _Ticket, outcome: Outcome | None) -> Spent:
    """What the call took: of one that was cancelled, its prompt; it ends at its deadline, however late we wake up."""
    latest = ticket.reservation.held.seconds if ticket.reservation else 0.0
    seconds = min(time.monotonic() - ticket.started, latest or float("inf"))
    if outcome is None:
        return Spent(ticket.call.input_tokens, 1, seconds, ticket.call.cost(0))
    return Spent(outcome.usage["total_tokens"], 1, seconds, outcome.usage["cost_usd"])
