"""Asks the person at the terminal what becomes of an answer that the loop is unsure of."""

import sys
from collections.abc import Mapping
from typing import Any, cast

from rich.console import Console
from rich.text import Text

from adaptive_reasoner.cli.events import Paused

_ACTIONS = {"a": "approve", "e": "edit", "r": "reject", "m": "mark_step"}
_PROMPT = "[a]pprove, [e]dit or [r]eject? "
_PROMPT_WITH_STEPS = "[a]pprove, [e]dit, [r]eject or [m]ark a wrong step? "


def is_at_terminal() -> bool:
    """True if somebody can be asked."""
    return sys.stdin.isatty()


def pending_answer(paused: Paused) -> str:
    """The answer that waits for a decision."""
    return str(_question(paused).get("answer", ""))


def ask_person(paused: Paused, console: Console) -> dict[str, Any]:
    """Ask until the reply is a decision that the review node takes."""
    console.print(Text("The loop is not sure of this answer:", style="bold yellow"))
    console.print(Text(f"   {pending_answer(paused)}", style="bold"))
    if problem := _question(paused).get("problem"):
        console.print(Text(str(problem), style="yellow"))
    steps = cast("list[dict[str, Any]]", _question(paused).get("thought_steps") or [])
    _show_steps(steps, console)
    while True:
        word = console.input(Text(_PROMPT_WITH_STEPS if steps else _PROMPT)).strip().lower()
        action = _ACTIONS.get(word[:1])
        if action == "mark_step":
            if marked := _ask_step(steps, console):
                return marked
            continue
        if action == "edit":
            answer = console.input(Text("The right answer: ")).strip()
            if answer:
                return {"action": action, "answer": answer}
        elif action is not None:
            return {"action": action}


def _show_steps(steps: list[dict[str, Any]], console: Console) -> None:
    """The thought step by step; the uncertain ones stand out, also without colours."""
    for one in steps:
        mark, style = ("?", "yellow") if one["is_uncertain"] else (" ", "dim")
        entropy = f"  ({one['entropy_nats']:.2f} nats)" if one["is_uncertain"] else ""
        console.print(Text(f" {mark} {one['step']:>2} {one['text']}{entropy}", style=style))


def _ask_step(steps: list[dict[str, Any]], console: Console) -> dict[str, Any] | None:
    """The step and what is wrong with it; None: there is no such step."""
    number = console.input(Text("Number of the wrong step: ")).strip() if steps else ""
    if not number.isdecimal() or not 1 <= int(number) <= len(steps):
        return None
    note = console.input(Text("What is wrong with it (Enter: no word)? ")).strip()
    return {"action": "mark_step", "step": int(number), **({"note": note} if note else {})}


def _question(paused: Paused) -> Mapping[str, Any]:
    question: Any = paused.question
    return cast("Mapping[str, Any]", question) if isinstance(question, Mapping) else {}
