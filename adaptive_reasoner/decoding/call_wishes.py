"""What one call of a local model asks for, resolved from its fields and the call's arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from adaptive_reasoner.decoding.token_choice import SamplingOptions
from adaptive_reasoner.decoding.writing import WritingOptions
from adaptive_reasoner.errors import ConfigurationError

CALL_FIELDS = (
    "thinking",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "max_tokens",
    "stop",
    "logprobs",
    "top_logprobs",
)
_NO_EFFORT = ("none", "minimal")
_UNBOUNDED = 4096  # generated tokens, where neither the caller nor the model's settings name a limit


@dataclass(frozen=True, slots=True)
class CallWishes:
    """One call's wishes.

    Attributes:
        is_thinking: the model should think.
        thought_tokens: how long at most; None: as long as it takes.
        max_tokens: generated ones; None: what the context holds.
    """

    is_thinking: bool
    thought_tokens: int | None
    sampling: SamplingOptions
    max_tokens: int | None
    stop: tuple[str, ...]

    def writing(self, context: int | None, prompt_tokens: int) -> WritingOptions:
        """The wishes within a context of so many tokens."""
        room = _UNBOUNDED if context is None else context - prompt_tokens
        most = room if self.max_tokens is None else min(self.max_tokens, room)
        return WritingOptions(self.sampling, most, self.stop, self.thought_tokens)


def resolve_wishes(
    fields: Mapping[str, Any], stop: Sequence[str] | str | None, arguments: Mapping[str, Any]
) -> CallWishes:
    """Let a call's `arguments` override the model's `fields`; arguments it does not know are ignored.

    Raises:
        ConfigurationError: a value is out of its range.
    """
    values = {**fields, **{name: value for name, value in arguments.items() if value is not None}}
    is_thinking, thought_tokens = _thinking(values, arguments)
    stops = stop if stop is not None else (values.get("stop") or ())
    return CallWishes(
        is_thinking=is_thinking,
        thought_tokens=thought_tokens,
        sampling=_sampling(values),
        max_tokens=_max_tokens(values),
        stop=(stops,) if isinstance(stops, str) else tuple(stops),
    )


def _thinking(values: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[bool, int | None]:
    effort = arguments.get("reasoning_effort")
    if effort is not None and arguments.get("thinking") is None:
        return effort not in _NO_EFFORT, None
    thinking = values["thinking"]
    if thinking in ("off", "answer_first"):
        return False, None
    if thinking == "on":
        return True, None
    budget = (
        cast("Mapping[str, Any]", thinking).get("budget_tokens") if isinstance(thinking, Mapping) else None
    )
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < 0:
        raise ConfigurationError(
            f'thinking is {thinking!r}; use "off", "on" or {{"budget_tokens": n}} with n >= 0.'
        )
    return budget > 0, budget


def _sampling(values: Mapping[str, Any]) -> SamplingOptions:
    temperature, top_p = float(values["temperature"]), float(values["top_p"])
    top_logprobs = values.get("top_logprobs") or 0
    if temperature < 0 or not 0 < top_p <= 1 or not 0 <= top_logprobs <= 20:
        raise ConfigurationError(
            f"temperature must be >= 0, top_p in (0, 1] and top_logprobs in 0..20, not {temperature}, {top_p} and "
            f"{top_logprobs}."
        )
    return SamplingOptions(
        temperature=temperature,
        top_p=top_p,
        top_k=values.get("top_k"),
        seed=values.get("seed"),
        top_logprobs=top_logprobs if values["logprobs"] else None,
    )


def _max_tokens(values: Mapping[str, Any]) -> int | None:
    most = values.get("max_completion_tokens") or values.get("max_tokens")
    if most is not None and most < 1:
        raise ConfigurationError(f"max_tokens must be 1 or more, not {most}.")
    return most
