"""`adaptive-reasoner chat`: a conversation in one thread, kept in a file where one is named."""

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptive_reasoner.cli import options

if TYPE_CHECKING:
    from adaptive_reasoner.cli.conversation import Conversation
    from adaptive_reasoner.cli.session import Session


def chat(
    fast: options.Fast = None,
    deep: options.Deep = None,
    base_url: options.BaseUrl = None,
    api_key_env: options.ApiKeyEnv = None,
    thinking: options.Thinking = "auto",
    importance: options.ImportanceOption = options.Importance.NORMAL,
    answer_order: options.AnswerOrderOption = options.AnswerOrder.THINK_FIRST,
    budget_tokens: options.BudgetTokens = None,
    budget_per: options.BudgetPer = options.BudgetScope.QUERY,
    tenant: options.Tenant = None,
    ledger: options.LedgerUrl = None,
    max_refinements: options.MaxRefinements = 1,
    review: options.Review = False,
    show_thoughts: options.ShowThoughts = False,
    record: options.Record = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
    db: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps the threads (extra `sqlite`).")
    ] = None,
    thread_id: Annotated[str | None, typer.Option(help="Thread to begin, or to go on with.")] = None,
) -> None:
    """Talk with the loop; /thoughts, /report and /quit are its commands."""
    from adaptive_reasoner.cli.threads import open_checkpointer

    models = options.ModelChoice(fast=fast, deep=deep, base_url=base_url, api_key_env=api_key_env)
    policy = options.Policy(
        thinking=thinking,
        importance=importance,
        answer_order=answer_order,
        budget_tokens=budget_tokens,
        budget_per=budget_per,
        tenant=tenant,
        ledger=ledger,
        max_refinements=max_refinements,
        review=review,
        record=record,
    )
    with open_checkpointer(db) as checkpointer:
        from adaptive_reasoner.cli.session import start_session

        session = start_session(models, policy, thread_id or str(uuid.uuid4()), checkpointer)
        if as_json:
            from adaptive_reasoner.cli.machine import converse

            converse(session, sys.stdin)
        else:
            _conversation(session, show_thoughts=show_thoughts, no_color=no_color).run()


def _conversation(session: "Session", *, show_thoughts: bool, no_color: bool) -> "Conversation":
    from adaptive_reasoner.cli.conversation import Conversation
    from adaptive_reasoner.cli.render import Display, make_console

    return Conversation(session, Display(make_console(no_color=no_color), show_thoughts))
