"""A whole turn at the terminal: drawn as it happens, with a person asked where the loop asks for one."""

from collections.abc import Iterable

from adaptive_reasoner.cli.events import Event, HandedOff, Paused
from adaptive_reasoner.cli.person import ask_person, is_at_terminal
from adaptive_reasoner.cli.render import Display
from adaptive_reasoner.cli.session import Session


def watch(session: Session, events: Iterable[Event], display: Display) -> HandedOff | Paused:
    """Draw a turn to its end.

    Args:
        session: the thread that the turn belongs to.
        events: the turn's events, from `session.ask` or `session.resume`.
        display: draws them.

    Returns:
        What settled it; `Paused` where a person must decide and none is at the terminal.
    """
    last = _draw(events, display)
    while isinstance(last, Paused) and is_at_terminal():
        reply = ask_person(last, display.console)
        last = _draw(session.resume(reply), display)
    return last


def settle(events: Iterable[Event]) -> HandedOff | Paused:
    """Run a turn to its end without drawing it."""
    *_, last = events
    return _ending(last)


def _draw(events: Iterable[Event], display: Display) -> HandedOff | Paused:
    last: Event | None = None
    try:
        for event in events:
            display.show(event)
            last = event
    finally:
        display.stop()
    return _ending(last)


def _ending(last: Event | None) -> HandedOff | Paused:
    assert isinstance(last, HandedOff | Paused), "a session's events end in one of the two"  # noqa: S101
    return last
