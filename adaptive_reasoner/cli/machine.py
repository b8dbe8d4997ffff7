"""What `--json` prints: one object a turn, on one line."""

import json
from collections.abc import Iterable
from typing import Any

from adaptive_reasoner.cli.events import Event, HandedOff, Paused
from adaptive_reasoner.cli.session import Session
from adaptive_reasoner.cli.watch import settle
from adaptive_reasoner.errors import AdaptiveReasonerError

Printed = dict[str, Any]


def turn_as_json(last: HandedOff | Paused) -> Printed:
    """`answer` and `report`; where a person must decide, `answer` is null and `waiting` is what they are asked."""
    if isinstance(last, Paused):
        return {"answer": None, "report": last.question.get("report"), "waiting": last.question}
    return {"answer": last.answer, "report": last.report}


def print_json(printed: Printed) -> None:
    """Print one line."""
    print(json.dumps(printed, ensure_ascii=False), flush=True)


def converse(session: Session, lines: Iterable[str]) -> None:
    """Answer each line with one object; a turn that fails gives `error`, and the conversation goes on."""
    for line in lines:
        if question := line.strip():
            print_json({**_turn(session.ask(question)), "thread_id": session.thread_id})


def _turn(events: Iterable[Event]) -> Printed:
    try:
        return turn_as_json(settle(events))
    except AdaptiveReasonerError as error:
        return {"error": {"code": error.code, "message": str(error)}}
