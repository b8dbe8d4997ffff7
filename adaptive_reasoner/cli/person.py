"""Asks the person at the terminal what becomes of an answer that the loop is unsure of."""

import sys
from collections.abc import Mapping
from typing import Any, cast

from rich.console import Console
from rich.text import Text

from adaptive_reasoner.cli.events import Paused

_ACTIONS = {"a": "approve", "e": "edit", "r": "reject"}
_PROMPT = "[a]pprove, [e]dit or [r]eject? "


def is_at_terminal() -> bool:
    """True if somebody can be asked."""
    return sys.stdin.isatty()


def pending_answer(paused: Paused) -> str:
    """The answer that waits for a decision."""
    return str(_question(paused).get("answer", ""))


def ask_person(paused: Paused, console: Console) -> dict[str, str]:
    """Ask until the reply is a decision that the review node takes."""
    console.print(Text("The loop is not sure of this answer:", style="bold yellow"))
    console.print(Text(f"   {pending_answer(paused)}", style="bold"))
    if problem := _question(paused).get("problem"):
        console.print(Text(str(problem), style="yellow"))
    while True:
        word = console.input(Text(_PROMPT)).strip().lower()
        action = _ACTIONS.get(word[:1])
        if action == "edit":
            answer = console.input(Text("The right answer: ")).strip()
            if answer:
                return {"action": action, "answer": answer}
        elif action is not None:
            return {"action": action}


def _question(paused: Paused) -> Mapping[str, Any]:
    question: Any = paused.question
    return cast("Mapping[str, Any]", question) if isinstance(question, Mapping) else {}
