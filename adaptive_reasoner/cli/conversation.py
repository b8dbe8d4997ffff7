"""The read-ask-print loop of `chat`, and its slash commands."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from rich.text import Text

from adaptive_reasoner.cli.events import Event, HandedOff
from adaptive_reasoner.cli.person import is_at_terminal, pending_answer
from adaptive_reasoner.cli.render import Display
from adaptive_reasoner.cli.session import Session
from adaptive_reasoner.cli.watch import watch
from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.state import ReasoningReport

_COMMANDS = "/thoughts prints the last answer's thoughts, /report its report, /quit ends"


@dataclass(slots=True)
class Conversation:
    """Turns of one thread, until the person leaves."""

    session: Session
    display: Display
    report: ReasoningReport | None = None

    def run(self) -> None:
        """Read and answer until /quit or the end of the input."""
        self.display.show_note(f"thread {self.session.thread_id}; {_COMMANDS}")
        pending = self.session.pending()
        if pending is not None:
            self.display.show_note(f"This thread waits for a person: {pending_answer(pending)}")
            self._turn([pending])
        while (line := self._read()) is not None and line != "/quit":
            self._answer(line)

    def _read(self) -> str | None:
        prompt = Text("you ", style="bold cyan") if is_at_terminal() else Text()
        try:
            return self.display.console.input(prompt).strip()
        except EOFError:
            return None

    def _answer(self, line: str) -> None:
        match line:
            case "":
                return
            case "/thoughts":
                self.display.show_note("\n\n".join(self.display.thoughts) or "No thoughts yet.")
            case "/report":
                self.display.show_note(json.dumps(self.report, indent=2) if self.report else "No report yet.")
            case _ if line.startswith("/"):
                self.display.show_note(f"{line} is no command: {_COMMANDS}.")
            case _:
                self._turn(self.session.ask(line))

    def _turn(self, events: Iterable[Event]) -> None:
        """One turn; what goes wrong in it is said, and the conversation goes on."""
        try:
            last = watch(self.session, events, self.display)
        except AdaptiveReasonerError as error:
            print(" ".join(str(error).split()), file=sys.stderr)
            return
        if isinstance(last, HandedOff):
            self.report = last.report
        else:
            self.display.show_note(f"Waits for a person: {pending_answer(last)}")
