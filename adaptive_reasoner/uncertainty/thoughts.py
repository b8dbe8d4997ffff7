"""Thoughts in a text that shows them: everything up to the answer, in the spellings that models use."""

import re

_OPENING = re.compile(r"\s*(?:<(think|thinking|thought|reasoning)>|<\|channel\|>)")
# gpt-oss writes several channels, and only the final one is the answer.
_HARMONY = "<|channel|>"
_FINAL_CHANNEL = re.compile(r"<\|channel\|>final\b[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>")
_END_MARKS = re.compile(r"(?:\s*(?:<\|[^<>|\s]{1,40}\|>|</s>|<eos>|<end_of_turn>))+\s*\Z")
_LONGEST_END = 200  # characters


def visible_text(text: str) -> str | None:
    """The answer in `text`, without thoughts before and end marks after it; None: it ends inside its thoughts."""
    if "<" not in text:
        return text
    if _HARMONY in text:
        finals = list(_FINAL_CHANNEL.finditer(text))
        return _without_end_marks(text[finals[-1].end() :]) if finals else None
    opening = _OPENING.match(text)
    closing = f"</{opening[1]}>" if opening else "</think>"  # some prompts hold the opening mark already
    if closing in text:
        return _without_end_marks(text[text.rindex(closing) + len(closing) :].lstrip())
    return None if opening else _without_end_marks(text)


def _without_end_marks(text: str) -> str:
    mark = _END_MARKS.search(text, max(len(text) - _LONGEST_END, 0))
    return text[: mark.start()] if mark else text
