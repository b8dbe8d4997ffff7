"""Who watches a stream, and how it is closed, so that its provider stops generating."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from adaptive_reasoner.gate.early_cut import EarlyCut

Chunk = TypeVar("Chunk")


@dataclass(frozen=True, slots=True)
class Watch:
    """A call's stream is watched, and cut where it must be escalated.

    Attributes:
        rule: when to cut.
        may_cut: whether something can follow a cut after so many output tokens; asked right before, maybe in
            another thread.
    """

    rule: EarlyCut
    may_cut: Callable[[int], bool]


@contextmanager
def closing(stream: Iterator[Chunk]) -> Generator[Iterator[Chunk]]:
    """`stream`, closed in the end, however far it was read: its connection with it."""
    try:
        yield stream
    finally:
        close(stream)


@asynccontextmanager
async def aclosing(stream: AsyncIterator[Chunk]) -> AsyncGenerator[AsyncIterator[Chunk]]:
    """The same for an async stream."""
    try:
        yield stream
    finally:
        aclose: Any = getattr(stream, "aclose", None)
        if aclose is not None:
            await aclose()


def close(stream: Iterator[Any]) -> None:
    """Close a generator; any other iterator has nothing to close."""
    close_it: Any = getattr(stream, "close", None)
    if close_it is not None:
        close_it()
