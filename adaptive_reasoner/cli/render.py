"""Draws a turn as it happens: the route, each round with its entropies, and what it came to."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.text import Text

from adaptive_reasoner.cli.events import (
    Called,
    Event,
    Explained,
    HandedOff,
    Judged,
    Paused,
    Streamed,
    Triaged,
)
from adaptive_reasoner.cli.marks import aligned, legend, marked_lines
from adaptive_reasoner.cli.words import (
    TRIAGE_WORDS,
    confidence_words,
    is_sure,
    round_words,
    spent_words,
)

_INDENT = 3


def make_console(*, no_color: bool) -> Console:
    """A console for standard output that prints words as they are."""
    return Console(no_color=no_color or None, highlight=False, markup=False, emoji=False)


@dataclass(slots=True)
class Display:
    """Draws events on a console; on a terminal, what the model writes shows while it writes."""

    console: Console
    show_thoughts: bool = False
    thoughts: list[str] = field(default_factory=list[str])
    _node: str = ""
    _thought: str = ""
    _text: str = ""
    _rationale: str = ""
    _live: Live | None = None

    def show(self, event: Event) -> None:
        """Draw one event."""
        match event:
            case Triaged():
                self._show_triage(event)
            case Called():
                self._begin(event.node)
            case Streamed():
                self._grow(event)
            case Explained():
                self._rationale += event.text
            case Judged():
                self._show_round(event)
            case HandedOff():
                self._show_result(event)
            case Paused():
                self.stop()

    def stop(self) -> None:
        """Take the live view down; nothing of it stays on the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def _width(self) -> int:
        return max(self.console.width - _INDENT, 20)

    def _show_triage(self, event: Triaged) -> None:
        self.thoughts.clear()
        triage = event.triage
        words = f"{TRIAGE_WORDS[event.route]}: {triage['reason']}"
        numbers = f" (gain {triage['gain']:.2f}, difficulty {triage['difficulty']:.2f}; {triage['source']})"
        self.console.print(Text.assemble(("triage ", "bold"), words, (numbers, "dim")))

    def _begin(self, node: str) -> None:
        self.stop()
        self._node, self._thought, self._text, self._rationale = node, "", "", ""
        if self.console.is_terminal:
            self._live = Live(console=self.console, transient=True, refresh_per_second=20)
            self._live.start()
            self._live.update(self._growing())

    def _grow(self, event: Streamed) -> None:
        if event.is_thought:
            self._thought += event.text
        else:
            self._text += event.text
        if self._live is not None:
            self._live.update(self._growing())

    def _growing(self) -> Text:
        thought = self._thought if self.show_thoughts else ""
        waiting = "" if self._text or thought else "…"
        return Text.assemble(
            (f"{self._node} ", "bold"), (thought, "dim italic"), "\n" if thought else "", self._text, waiting
        )

    def _show_round(self, event: Judged) -> None:
        self.stop()
        self.console.print(Text(f"{event.index + 1}. {event.round['node']}", style="bold"))
        if self._thought:
            self.thoughts.append(self._thought.strip())
            if self.show_thoughts:
                self._print_indented(Text(self._thought.strip(), style="dim italic"))
                for step in event.round.get("uncertain_steps", ()):
                    doubt = f"? unsure: {step['text']} ({step['entropy_nats']:.2f} nats)"
                    self._print_indented(Text(doubt, style="yellow"))
        is_draft = event.round["verdict"] in ("refine", "escalate")
        for line in self._answer_lines(event, is_draft=is_draft):
            self._print_indented(line)
        self._show_rationale()
        self._print_indented(Text(f"→ {round_words(event.round)}", style="dim"))
        self._thought = self._text = ""

    def _show_rationale(self) -> None:
        """What the model said after its answer; it was no part of how the answer came about."""
        if not self._rationale.strip():
            return
        said = f"because: {self._rationale.strip()}"
        self._rationale = ""
        self.thoughts.append(said)
        if self.show_thoughts:
            self._print_indented(Text(said, style="dim italic"))

    def _answer_lines(self, event: Judged, *, is_draft: bool) -> list[Text]:
        """The answer with its bars; a draft that another answer follows is struck out."""
        ending = " …" if "cut" in event.round else ""
        if not event.tokens:
            lines = [Text(event.text + ending)] if event.text else []
            texts = lines
        else:
            tokens = [*aligned(event.text, event.tokens), *([(ending, 0.0)] if ending else [])]
            lines = list(marked_lines(tokens, self._width, ascii_only=self.console.options.ascii_only))
            texts = lines[::2]
        for text in texts if is_draft else ():
            text.stylize("strike")
        return lines

    def _show_result(self, event: HandedOff) -> None:
        self.stop()
        report = event.report
        style = "bold green" if is_sure(report) else "bold yellow"
        self.console.print()
        self.console.print(Text(event.answer, style="bold"), soft_wrap=True)
        self.console.print(Text(confidence_words(report), style=style))
        self.console.print(Text(spent_words(report["usage"], len(report["rounds"])), style="dim"))

    def _print_indented(self, text: Text) -> None:
        for line in text.wrap(self.console, self._width):
            line.rstrip()
            self.console.print(Text(" " * _INDENT) + line)

    def show_note(self, note: str) -> None:
        """Print what belongs to the turn but is not its outcome; line breaks stay as they are."""
        self.console.print(Text(note, style="dim"), soft_wrap=True)

    def show_legend(self) -> None:
        """Say what the bars mean."""
        self.show_note(legend(ascii_only=self.console.options.ascii_only))
