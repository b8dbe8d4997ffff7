"""Parts what a model writes into its thought and its answer, token by token, where the prompt opened the thought."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from adaptive_reasoner.decoding.written_text import WrittenToken, first_characters

Part = Literal["reasoning", "text"]
LabelledToken = tuple[Part, WrittenToken]


def part_thought(tokens: Iterable[WrittenToken], closing: str) -> Iterator[LabelledToken]:
    """Each token with the part it belongs to; the closing mark is left out.

    Args:
        tokens: as they are written, the opening mark not among them.
        closing: the mark that ends the thought, perhaps several tokens; a text without it is all thought.
    """
    held: list[WrittenToken] = []
    is_open = True
    for token in tokens:
        if not is_open:
            yield "text", token
            continue
        held.append(token)
        text = "".join(part.text for part in held)
        if closing in text:
            before, _, after = text.partition(closing)
            yield from labelled("reasoning", first_characters(held, len(before)))
            if after.strip():
                yield "text", replace(token, text=after)
            held, is_open = [], False
        elif not _may_begin(text, closing):
            yield from labelled("reasoning", held)
            held = []
    yield from labelled("reasoning", held)


def labelled(part: Part, tokens: Iterable[WrittenToken]) -> Iterator[LabelledToken]:
    """Tokens that all belong to one part."""
    for token in tokens:
        yield part, token


def _may_begin(text: str, mark: str) -> bool:
    """True if an end of `text` may be the beginning of `mark`."""
    return any(mark.startswith(text[-length:]) for length in range(1, min(len(mark), len(text)) + 1))
