"""The embedded model's format: prompts, modes and the request to refine an answer."""

from collections.abc import Sequence
from typing import Literal

from adaptive_reasoner.embedded.tokenizer import encoding, special

Role = Literal["user", "assistant"]
Mode = Literal["fast", "deep", "answer_first", "refine"]
Turn = tuple[Role, str]

MODE_TOKENS: dict[Mode, str] = {
    "fast": "<fast>",
    "deep": "<think>",
    "answer_first": "<post>",
    "refine": "<refine>",
}
REFINE_REQUEST_ENDING = "Check and answer again."
MAX_ALTERNATIVES = 3
ANSWER_PREFIX = "Answer:"


def encode_turn(text: str) -> list[int]:
    """Token ids of a user's text, with a space before it.

    The space gives a sentence's first word the same token as everywhere else, which is what
    looking up a name needs.
    """
    return encoding().encode_ordinary(" " + text.strip())


def render_prompt(turns: Sequence[Turn]) -> list[int]:
    """Token ids of a conversation up to and including the <assistant> of the next answer.

    Append `special(MODE_TOKENS[mode])` to choose the mode. Earlier answers are rendered as fast.
    """
    ids = [special("<bos>")]
    for role, text in turns:
        if role == "user":
            ids += [special("<user>"), *encode_turn(text)]
        else:
            reply = encoding().encode_ordinary(text.strip())
            ids += [special("<assistant>"), special("<fast>"), *reply, special("<eos>")]
    return [*ids, special("<assistant>")]


def refine_request(spans: Sequence[Sequence[tuple[str, float]]]) -> str:
    """The user's turn that sends an answer back.

    Args:
        spans: per uncertain token, its (text, probability): the chosen text, then alternatives,
            of which the first three are used. Empty: the request names no spans.
    """
    if not spans:
        return REFINE_REQUEST_ENDING
    return f"Unsure: {'; '.join(render_span(span) for span in spans)}. {REFINE_REQUEST_ENDING}"


def render_span(span: Sequence[tuple[str, float]]) -> str:
    """The texts of one uncertain span with their probabilities: "42" (60%) or "24" (30%)."""
    options = [f'"{text.strip()}" ({p:.0%})' for text, p in span[: MAX_ALTERNATIVES + 1]]
    return " or ".join(options)


def answer_text(answer: int) -> str:
    """How an answer is written, e.g. "Answer: 42"."""
    return f"{ANSWER_PREFIX} {answer}"
