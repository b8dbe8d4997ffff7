"""Whether the thinking switch did what it was asked, by what the provider counted and showed."""

from dataclasses import dataclass
from typing import Literal

from langchain_core.messages import AIMessage

from adaptive_reasoner.thinking.thoughts import thoughts_of
from adaptive_reasoner.thinking.ways import NO_THINKING, Thinking


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of the wish.

    Attributes:
        took: True or False where that shows, None where neither tokens nor thoughts tell.
        reason: how that is known.
    """

    took: bool | None
    reason: str


def thinking_took_effect(message: AIMessage, asked: Thinking) -> Effect:
    """Compare what was asked of the model with what `message` says of its thinking.

    Args:
        message: the answer.
        asked: what was asked: "off", "on", `{"budget_tokens": n}` or `{"effort": level}`.
    """
    tokens, is_shown = _counted(message), bool(thoughts_of(message))
    thought = bool(tokens) or is_shown
    evidence = _evidence(tokens, is_shown=is_shown)
    if not thought and tokens is None:
        return Effect(took=None, reason=evidence)
    if asked in ("off", "answer_first", {"effort": NO_THINKING}):
        reason = f"it thought all the same: {evidence}" if thought else evidence
        return Effect(took=not thought, reason=reason)
    if not thought:
        return Effect(took=False, reason=f"it did not think: {evidence}")
    budget = asked.get("budget_tokens") if isinstance(asked, dict) else None
    if budget is not None and tokens is not None and tokens > budget:
        return Effect(took=False, reason=f"it thought longer than the budget of {budget} tokens: {evidence}")
    return Effect(took=True, reason=evidence)


def unmet_wish(message: AIMessage, asked: Thinking | Literal["written"], model_name: str) -> str | None:
    """What a report says of a wish that did not come true; None: it did, or nobody can tell.

    Args:
        message: the answer.
        asked: the wish; "written": no switch is known, so the prompt asked for thinking in writing.
        model_name: of the model that answered.
    """
    if asked == "written":
        return f"no thinking switch is known for {model_name}; the prompt asked it to think in writing"
    effect = thinking_took_effect(message, asked)
    wish = asked if isinstance(asked, str) else ", ".join(f"{name} {value}" for name, value in asked.items())
    return f'asked for "{wish}", but {effect.reason}' if effect.took is False else None


def _counted(message: AIMessage) -> int | None:
    """Thinking tokens by the provider's count; None: it counts none."""
    details = (message.usage_metadata or {}).get("output_token_details") or {}
    return details.get("reasoning")


def _evidence(tokens: int | None, *, is_shown: bool) -> str:
    shown = "thoughts came" if is_shown else "no thoughts came"
    return (
        f"{shown}, thinking tokens are not counted"
        if tokens is None
        else f"{shown}, {tokens} thinking tokens"
    )
