"""Thoughts that a model writes into its answer: where they end, and what is left."""

import re

# Openings and the closings that belong to them: Qwen, DeepSeek and others; Mistral's own tokens; Gemma 4's.
_MARKS = (
    *((f"<{tag}>", f"</{tag}>") for tag in ("think", "thinking", "thought", "reasoning")),
    ("[THINK]", "[/THINK]"),
    ("<|channel>thought", "<channel|>"),
)
# Granite 3.2 and 3.3 write it in words. Source: vllm, GraniteReasoningParser.
_GRANITE_THOUGHT = re.compile(r"\s*Here(?:'s| is) my thought process:?\s*")
_GRANITE_ANSWER = re.compile(r"\s*Here(?:'s| is) my response:?\s*")
# gpt-oss writes channels; all but the final one are thoughts.
_FINAL = re.compile(r"<\|channel\|>final\b[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>")
_CHANNEL_MARKS = re.compile(
    r"<\|start\|>assistant|<\|channel\|>\s*(?:analysis|commentary)[^<]*|<\|(?:message|end|return)\|>"
)


# What models write of their own accord; other tags may be a form that the caller asked for.
_OWN_ACCORD = re.compile(
    r"\s*(?:<think>|\[THINK\]|<\|channel>thought|<\|channel\|>|Here(?:'s| is) my thought process:)"
)
# Some prompts hold the opening mark already. A closing mark inside a line may be what the answer is about.
_LONE_CLOSING = re.compile(r"\n</think>\s*(?:\n|\Z)")


# The same, and what closes each where that is plain text; "": only the whole text tells.
OWN_OPENINGS = {
    "<think>": "</think>",
    "[THINK]": "[/THINK]",
    "<|channel>thought": "<channel|>",
    "<|channel|>": "",
    "Here is my thought process:": "",
    "Here's my thought process:": "",
}


def holds_own_thoughts(text: str) -> bool:
    """True if `text` begins with thoughts in one of the spellings that models were trained to use."""
    return _OWN_ACCORD.match(text) is not None or _LONE_CLOSING.search(text) is not None


def split_thoughts(text: str, *, is_open: bool = False) -> tuple[str, str | None]:
    """The thoughts in `text` and the answer after them.

    Args:
        text: as the model wrote it.
        is_open: the prompt opened the thoughts, so that a text without any mark is all thought.

    Returns:
        Both without their marks; "" where there are no thoughts, None as the answer where the text ends inside them.
    """
    if "<|channel|>" in text:
        return _channels(text)
    if begin := _GRANITE_THOUGHT.match(text):
        return _parted(text[begin.end() :], _GRANITE_ANSWER.search(text[begin.end() :]))
    for opening, closing in _MARKS:
        if text.lstrip().startswith(opening):
            inside = text.lstrip()[len(opening) :]
            return _parted(inside, re.search(re.escape(closing), inside))
    if end := re.search("</think>", text) if is_open else _LONE_CLOSING.search(text):
        return _parted(text, end)
    return (text.strip(), None) if is_open else ("", text)


def _parted(inside: str, end: re.Match[str] | None) -> tuple[str, str | None]:
    if end is None:
        return inside.strip(), None
    return inside[: end.start()].strip(), inside[end.end() :].lstrip()


def _channels(text: str) -> tuple[str, str | None]:
    finals = list(_FINAL.finditer(text))
    thoughts = text[: finals[-1].start()] if finals else text
    answer = re.sub(r"<\|(?:return|end)\|>\s*\Z", "", text[finals[-1].end() :]) if finals else None
    return _CHANNEL_MARKS.sub("", thoughts).strip(), answer
