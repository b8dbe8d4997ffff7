"""`adaptive-reasoner ask`: one question, watched from triage to the settled answer."""

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from adaptive_reasoner.cli import options
from adaptive_reasoner.cli.question import read_question

if TYPE_CHECKING:
    from adaptive_reasoner.cli.render import Display
    from adaptive_reasoner.cli.session import Session

WAITS_FOR_PERSON = 3


def ask(
    question: Annotated[str, typer.Argument(help='The question; "-" reads it from standard input.')],
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
    compare: Annotated[
        bool, typer.Option("--compare", help="Also run the always-thinking answer, and print what it costs.")
    ] = False,
    record: options.Record = None,
    as_json: options.AsJson = False,
    no_color: options.NoColor = False,
) -> None:
    """Ask one question and watch it being triaged, answered, doubted and settled."""
    text = read_question(question)
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
    session = _open_session(models, policy)
    always_deep = (
        _open_session(models, replace(policy, thinking="on", max_refinements=0, record=None))
        if compare
        else None
    )
    if as_json:
        _print(session, text, always_deep)
    else:
        _watch(session, text, always_deep, _display(show_thoughts, no_color))


def _open_session(models: options.ModelChoice, policy: options.Policy) -> "Session":
    from langgraph.checkpoint.memory import InMemorySaver

    from adaptive_reasoner.cli.session import start_session

    return start_session(models, policy, str(uuid.uuid4()), InMemorySaver())


def _display(show_thoughts: bool, no_color: bool) -> "Display":
    from adaptive_reasoner.cli.render import Display, make_console

    return Display(make_console(no_color=no_color), show_thoughts)


def _watch(session: "Session", question: str, always_deep: "Session | None", display: "Display") -> None:
    from adaptive_reasoner.cli.always_deep import always_deep_words, compared_words
    from adaptive_reasoner.cli.events import Paused
    from adaptive_reasoner.cli.person import pending_answer
    from adaptive_reasoner.cli.watch import settle, watch

    last = watch(session, session.ask(question), display)
    if isinstance(last, Paused):
        display.show_note(f"Waits for a person: {pending_answer(last)}")
        raise typer.Exit(WAITS_FOR_PERSON)
    if always_deep:
        display.show_note(compared_words(last, settle(always_deep.ask(question))))
    elif note := always_deep_words(last.report, session.usual_deep_tokens):
        display.show_note(note)
    display.show_legend()


def _print(session: "Session", question: str, always_deep: "Session | None") -> None:
    from adaptive_reasoner.cli.events import Paused
    from adaptive_reasoner.cli.machine import print_json, turn_as_json
    from adaptive_reasoner.cli.watch import settle

    last = settle(session.ask(question))
    other = {"always_thinking": turn_as_json(settle(always_deep.ask(question)))} if always_deep else {}
    print_json({**turn_as_json(last), "thread_id": session.thread_id, **other})
    if isinstance(last, Paused):
        raise typer.Exit(WAITS_FOR_PERSON)
