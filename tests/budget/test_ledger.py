"""What is reserved, settled and given back, in every database."""

import math
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptive_reasoner.budget import Ledger, Price, Spent
from adaptive_reasoner.budget.ledger import Claim
from adaptive_reasoner.budget.limits import NextCall
from adaptive_reasoner.config import Budget

ACME = "tenant:acme"
PRICE = Price(input=100.0, output=200.0)
CALL = NextCall(input_tokens=100, output_tokens=50, price=PRICE, seconds=5.0)
TOKENS = Budget(max_tokens=1000, per="tenant")


def claim(key, *budgets, call=CALL, is_patient=False, accounts=None):
    return Claim(key, accounts or {"tenant": ACME}, budgets or (TOKENS,), call, is_patient)


def settled(ledger, account=ACME):
    return ledger.standings([account])[account].settled


def held(ledger, account=ACME):
    return ledger.standings([account])[account].held


def test_the_worst_case_is_held_and_the_rest_given_back(ledger):
    grant = ledger.reserve(claim("a"))
    assert grant.reservation.held == Spent(150, 1, 5.0, 0.02)
    assert (held(ledger), settled(ledger)) == (Spent(150, 1, 5.0, 0.02), Spent())

    ledger.settle(grant.reservation, Spent(120, 1, 1.5, 0.014))
    assert (held(ledger), settled(ledger)) == (Spent(), Spent(120, 1, 1.5, 0.014))


def test_settling_twice_counts_once(ledger):
    grant = ledger.reserve(claim("a"))
    for _ in range(3):
        ledger.settle(grant.reservation, Spent(120, 1, 1.5, 0.014))
    assert settled(ledger) == Spent(120, 1, 1.5, 0.014)


def test_a_call_that_was_never_made_costs_nothing(ledger):
    ledger.settle(ledger.reserve(claim("a")).reservation, None)
    assert (held(ledger), settled(ledger)) == (Spent(), Spent())


def test_a_refusal_changes_nothing_and_says_why(ledger):
    ledger.settle(ledger.reserve(claim("a")).reservation, Spent(950, 1, 1.0, 0.01))
    grant = ledger.reserve(claim("b"))
    assert grant.reservation is None
    assert grant.allowance.refusal == (
        "budget per tenant: 950 of 1000 tokens are used, the next call needs 108"
    )
    assert (held(ledger), settled(ledger)) == (Spent(), Spent(950, 1, 1.0, 0.01))


def test_what_is_held_is_not_granted_again(ledger):
    budget = Budget(max_tokens=290, per="tenant")
    assert ledger.reserve(claim("a", budget)).allowance.max_output_tokens == 50
    assert ledger.reserve(claim("b", budget)).allowance.max_output_tokens == 40
    assert "290 of 290 tokens" in ledger.reserve(claim("c", budget)).allowance.refusal


def test_a_patient_claim_waits_for_what_others_hold_and_for_nothing_else(ledger):
    budget = Budget(max_tokens=160, per="tenant")
    first = ledger.reserve(claim("a", budget, is_patient=True))
    waiting = ledger.reserve(claim("b", budget, is_patient=True))
    assert (waiting.should_wait, waiting.reservation) == (True, None)

    ledger.settle(first.reservation, Spent(160, 1, 1.0, 0.01))
    refused = ledger.reserve(claim("b", budget, is_patient=True))
    assert (refused.should_wait, refused.reservation) == (False, None)


def test_several_accounts_all_hold(ledger):
    day = Budget(max_model_calls=1, per="day")
    accounts = {"tenant": ACME, "day": "day:2026-11-21:acme"}
    assert ledger.reserve(claim("a", TOKENS, day, accounts=accounts)).reservation
    refused = ledger.reserve(claim("b", TOKENS, day, accounts=accounts))
    assert refused.allowance.refusal == "budget per day: 1 of 1 model calls are used"
    assert held(ledger).model_calls == 1
    tomorrow = accounts | {"day": "day:2026-11-22:acme"}
    assert ledger.reserve(claim("b", TOKENS, day, accounts=tomorrow)).reservation


@pytest.mark.parametrize(
    ("budget", "most"),
    [
        (Budget(max_tokens=1000, per="tenant"), 6),
        (Budget(max_model_calls=7, per="tenant"), 7),
        (Budget(max_seconds=12.0, per="tenant"), 3),  # 5 + 5 + the 2 that are left
        (Budget(max_usd=0.1, per="tenant"), 5),
    ],
)
def test_every_kind_of_limit_holds(ledger, budget, most):
    uncapped = replace(CALL, can_be_capped=False)
    grants = [ledger.reserve(claim(str(n), budget, call=uncapped)) for n in range(9)]
    assert sum(grant.reservation is not None for grant in grants) == most
    used = held(ledger)
    assert budget.max_tokens is None or used.tokens <= budget.max_tokens
    assert budget.max_usd is None or used.cost_usd <= budget.max_usd
    assert budget.max_seconds is None or used.seconds == budget.max_seconds


def test_one_call_of_unknown_price_makes_the_money_unknown(ledger):
    unpriced = replace(CALL, price=None)
    ledger.settle(ledger.reserve(claim("a", call=unpriced)).reservation, Spent(120, 1, 1.0, None))
    assert settled(ledger) == Spent(120, 1, 1.0, None)
    refused = ledger.reserve(claim("b", Budget(max_usd=9.0, per="tenant")))
    assert "a call of unknown price was made" in refused.allowance.refusal


def test_small_sums_of_money_do_not_drift(ledger):
    cheap = NextCall(1, 1, Price(0.1, 0.2), seconds=1.0)
    budget = Budget(max_usd=1.0, per="tenant")
    for n in range(30):
        grant = ledger.reserve(claim(str(n), budget, call=cheap))
        ledger.settle(grant.reservation, Spent(2, 1, 0.001, 3e-7))
    assert settled(ledger) == Spent(60, 30, 0.03, 9e-6)


def test_a_ledger_survives_being_closed(ledger_url):
    first = Ledger.open(ledger_url)
    first.settle(first.reserve(claim("a")).reservation, Spent(120, 1, 1.0, 0.01))
    first.close()
    second = Ledger.open(ledger_url)
    assert settled(second) == Spent(120, 1, 1.0, 0.01)
    second.close()


def test_threads_never_overspend(ledger):
    """Each takes what it was granted, or less; the sum of what they took is what is counted."""
    taken, lock = [], threading.Lock()

    def work(n):
        grant = ledger.reserve(claim(f"call {n}"))
        if grant.reservation is None:
            return
        spent = Spent(100 + min(grant.allowance.max_output_tokens, n % 60), 1, 0.1, 0.001)
        ledger.settle(grant.reservation, spent)
        with lock:
            taken.append(spent.tokens)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(60)))
    assert sum(taken) == settled(ledger).tokens <= 1000
    assert 1000 - settled(ledger).tokens < 150


def test_the_same_call_of_a_live_run_is_counted_again(ledger):
    """Two runs of one checkpoint at the same time are two calls."""
    first, second = ledger.reserve(claim("a")), ledger.reserve(claim("a"))
    assert first.reservation.id != second.reservation.id
    assert held(ledger).model_calls == 2


def test_a_call_that_was_made_and_is_made_again_is_counted_twice(ledger):
    for _ in range(2):
        ledger.settle(ledger.reserve(claim("a")).reservation, Spent(120, 1, 1.0, 0.01))
    assert settled(ledger) == Spent(240, 2, 2.0, 0.02)


RESERVE_AND_DIE = """
import os, sys
from adaptive_reasoner.budget import Ledger, Price
from adaptive_reasoner.budget.ledger import Claim
from adaptive_reasoner.budget.limits import NextCall
from adaptive_reasoner.config import Budget

call = NextCall(100, 50, Price(100.0, 200.0), seconds=5.0)
budget = Budget(max_tokens=int(sys.argv[2]), per="tenant")
Ledger.open(sys.argv[1]).reserve(Claim("a", {"tenant": "tenant:acme"}, (budget,), call))
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def orphaned(ledger_url):
    """A ledger in which a process reserved call "a" and was killed."""
    command = [sys.executable, "-c", RESERVE_AND_DIE, ledger_url, "1000"]
    assert subprocess.run(command, timeout=60, check=False).returncode == -9
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def test_what_a_killed_process_reserved_counts_as_spent(orphaned):
    assert (settled(orphaned), held(orphaned)) == (Spent(150, 1, 5.0, 0.02), Spent())
    impatient = claim("b", Budget(max_tokens=160, per="tenant"), is_patient=True)
    grant = orphaned.reserve(impatient)
    assert grant.allowance.refusal
    assert not grant.should_wait  # nobody will give it back


def test_the_resumed_run_settles_it_and_counts_once(orphaned):
    grant = orphaned.reserve(claim("a"))
    assert (held(orphaned).model_calls, settled(orphaned)) == (1, Spent())
    orphaned.settle(grant.reservation, Spent(120, 1, 1.0, 0.01))
    assert (settled(orphaned), held(orphaned)) == (Spent(120, 1, 1.0, 0.01), Spent())


def test_a_resumed_run_fits_where_its_own_reservation_filled_the_budget(orphaned):
    budget = Budget(max_tokens=150, per="tenant")
    assert orphaned.reserve(claim("b", budget)).reservation is None
    assert orphaned.reserve(claim("a", budget)).reservation


def test_a_resumed_run_that_is_refused_leaves_the_worst_case_counted(orphaned):
    assert orphaned.reserve(claim("a", Budget(max_tokens=90, per="tenant"))).allowance.refusal
    assert settled(orphaned) == Spent(150, 1, 5.0, 0.02)


def test_a_resumed_run_of_the_next_day_takes_it_out_of_yesterday(ledger_url, orphaned):
    day = Budget(max_tokens=1000, per="day")
    grant = orphaned.reserve(claim("a", day, accounts={"day": "day:2026-11-22"}))
    assert settled(orphaned) == Spent()
    orphaned.settle(grant.reservation, Spent(120, 1, 1.0, 0.01))
    assert settled(orphaned, "day:2026-11-22").tokens == 120


def test_a_holder_that_was_thought_dead_is_counted_beside_its_successor(ledger_url, monkeypatch):
    from adaptive_reasoner.budget import sql_ledger

    first, second = Ledger.open(ledger_url), Ledger.open(ledger_url)
    late = first.reserve(claim("a")).reservation
    monkeypatch.setattr(sql_ledger, "_IN_FLIGHT", set())
    taken_over = second.reserve(claim("a")).reservation
    assert taken_over.id == late.id
    second.settle(taken_over, Spent(120, 1, 1.0, 0.01))
    first.settle(late, Spent(110, 1, 1.0, 0.01))
    assert settled(second) == Spent(230, 2, 2.0, 0.02)
    first.close()
    second.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_uses_connections_of_its_own(ledger):
    ledger.reserve(claim("a"))
    child = os.fork()
    if child == 0:
        grant = ledger.reserve(claim("b"))
        ledger.settle(grant.reservation, Spent(120, 1, 1.0, 0.01))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert (held(ledger).model_calls, settled(ledger).tokens) == (1, 120)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400), st.floats(0, 1), st.booleans()), max_size=25)
)
def test_no_order_of_calls_overspends_or_loses_count(calls):
    pytest.importorskip("sqlalchemy")
    ledger = Ledger.open("sqlite://")
    limits = (Budget(max_tokens=1500, max_usd=0.12, per="tenant"),)
    expected, waiting = Spent(), []
    for n, (prompt, output, share, is_delayed) in enumerate(calls):
        grant = ledger.reserve(claim(str(n), *limits, call=NextCall(prompt, output, PRICE, seconds=1.0)))
        if grant.reservation is None:
            continue
        written = math.floor(share * grant.allowance.max_output_tokens)
        spent = Spent(prompt + written, 1, 0.5, PRICE.cost(prompt, written))
        expected += spent
        waiting.append((grant.reservation, spent))
        if not is_delayed:
            ledger.settle(*waiting.pop(0))
        standing = ledger.standings([ACME])[ACME]
        used = standing.settled + standing.held
        assert used.tokens <= 1500
        assert used.cost_usd <= 0.12 + 1e-12
    for reservation, spent in waiting:
        ledger.settle(reservation, spent)
    counted = settled(ledger)
    assert (counted.tokens, counted.model_calls) == (expected.tokens, expected.model_calls)
    assert counted.cost_usd == pytest.approx(expected.cost_usd, abs=1e-9)
    ledger.close()
