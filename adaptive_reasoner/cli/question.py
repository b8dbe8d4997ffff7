"""The question, checked before anything is loaded for it."""

import sys

from adaptive_reasoner.errors import InvalidInputError

MAX_BYTES = 1_000_000


def read_question(argument: str) -> str:
    """The question itself; "-" reads standard input.

    Raises:
        InvalidInputError: it is empty, not UTF-8, or a megabyte and more.
    """
    raw = sys.stdin.buffer.read(MAX_BYTES) if argument == "-" else argument.encode("utf-8", "surrogateescape")
    if len(raw) >= MAX_BYTES:
        raise InvalidInputError(
            f"The question has {MAX_BYTES:,} bytes or more; leave long documents out of it and ask again."
        )
    try:
        question = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"The question is not UTF-8 text ({error.reason}); convert it first."
        ) from error
    if not question:
        raise InvalidInputError('The question is empty; try: adaptive-reasoner ask "What is 3 * 7 + 5?"')
    return question
