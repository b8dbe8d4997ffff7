"""An answer that is followed by its rationale: where the one ends and the other begins, and what both say.

In the graph's answers they stand apart: the answer is the text, its rationale lies beside it.
"""

import re

from langchain_core.messages import AIMessage

RATIONALE = "rationale"  # its key in additional_kwargs
BEFORE_RATIONALE = " \t\r\n*_"  # what may stand between the heading and the rationale
HEADING = "\nBecause:"  # as the embedded model writes it, and as models are asked to

# At the beginning of a line, with what models put around a heading.
_HEADING = re.compile(r"\n[ \t>*_#]*(?:because|rationale|reason|explanation)[ \t*_]*[:\uff1a]", re.IGNORECASE)
# What may still become one: the last line of a text that is under way.
_BEGINNING = re.compile(r"[ \t>*_#]*+[a-z]{0,11}[ \t*_]*", re.IGNORECASE)


def split_rationale(text: str) -> tuple[str, str | None]:
    """The answer and its rationale, without the heading between them; None: there is no rationale."""
    heading = find_heading(text)
    if heading is None:
        return text, None
    return text[: heading.start()].rstrip(), text[heading.end() :].lstrip(BEFORE_RATIONALE).rstrip()


def find_heading(text: str) -> re.Match[str] | None:
    """The line break and the heading that part answer and rationale."""
    return _HEADING.search(text)


def held_back(text: str) -> int:
    """How many characters at the end of a text under way may turn out to belong to the heading."""
    before, line_break, line = text.rpartition("\n")
    kept = before if line_break and _BEGINNING.fullmatch(line) else text
    return len(text) - len(kept.rstrip())


def rationale_of(message: AIMessage) -> str:
    """The rationale that came after the answer, "" if none did."""
    kept = message.additional_kwargs.get(RATIONALE)
    return kept if isinstance(kept, str) else split_rationale(str(message.text))[1] or ""


def answer_with_rationale(message: AIMessage) -> str:
    """Both in one text, as the model wrote them."""
    text, rationale = str(message.text), rationale_of(message)
    return f"{text}{HEADING} {rationale}" if rationale and RATIONALE in message.additional_kwargs else text
