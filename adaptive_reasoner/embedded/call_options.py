"""What one call of the chat model asks for, resolved from its fields and the call's keyword arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.phases import ThoughtLimits
from adaptive_reasoner.embedded.tokenizer import encoding
from adaptive_reasoner.errors import ConfigurationError

Thinking = Literal["off", "on", "answer_first", "auto"] | dict[str, int]
Wish = Mode | Literal["auto"]

# OpenAI's names, so that a server can pass them on; None: think as long as it takes.
_EFFORT_BUDGETS: dict[str, int | None] = {"low": 48, "medium": 96, "high": None, "xhigh": None, "max": None}
_NO_EFFORT = ("none", "minimal")
EFFORT_LEVELS = (*_NO_EFFORT, *_EFFORT_BUDGETS)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """One call's wishes.

    Attributes:
        mode: of a question, "auto" leaves it to the model; a request to refine is answered in mode "refine"
            whatever stands here.
        auto_share: percentage of questions on which mode "auto" should think.
        stop: strings before which the visible text ends.
        logprobs_in_chunks: where streamed log probabilities go, see `EmbeddedChatModel`.
    """

    mode: Wish
    auto_share: int
    generation: GenerationConfig
    stop: tuple[str, ...]
    logprobs_in_chunks: bool


def resolve_options(
    fields: Mapping[str, Any], stop: Sequence[str] | str | None, arguments: Mapping[str, Any]
) -> CallOptions:
    """Let a call's `arguments` override the model's `fields`; arguments it does not know are ignored.

    Raises:
        ConfigurationError: a value is out of its range; the message lists what is allowed.
    """
    values = {**fields, **{name: value for name, value in arguments.items() if value is not None}}
    mode, budget = _mode_and_budget(fields, arguments)
    config = GenerationConfig(
        max_tokens=arguments.get("max_completion_tokens") or values.get("max_tokens"),
        temperature=values["temperature"],
        seed=values.get("seed"),
        top_logprobs=(values.get("top_logprobs") or 0) if values["logprobs"] else None,
        thought=ThoughtLimits(budget_tokens=budget, forced_prefix=_prefix(arguments.get("thought_prefix"))),
    )
    stops = stop if stop is not None else (values.get("stop") or ())
    return CallOptions(
        mode=mode,
        auto_share=values["auto_share"],
        generation=config,
        stop=(stops,) if isinstance(stops, str) else tuple(stops),
        logprobs_in_chunks=bool(values["logprobs_in_chunks"]),
    )


def _prefix(thought: Any) -> tuple[int, ...]:
    """The tokens that a thought begins with, where it goes on from one that was shown."""
    return tuple(encoding().encode_ordinary(f" {thought.strip()}")) if thought and thought.strip() else ()


def _mode_and_budget(fields: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[Wish, int | None]:
    """The call comes before the fields, and `thinking` before `reasoning_effort`, which has no default."""
    if arguments.get("thinking") is not None:
        return parse_thinking(arguments["thinking"])
    effort = arguments.get("reasoning_effort") or fields.get("reasoning_effort")
    return parse_effort(effort) if effort else parse_thinking(fields["thinking"])


def parse_thinking(thinking: Any) -> tuple[Wish, int | None]:
    """Mode and thinking budget in tokens (None: no limit) for a `thinking` setting.

    Raises:
        ConfigurationError: it is none of the five forms.
    """
    if thinking == "off":
        return "fast", None
    if thinking == "on":
        return "deep", None
    if thinking == "answer_first":
        return "answer_first", None
    if thinking == "auto":
        return "auto", None
    if isinstance(thinking, Mapping):
        budget = cast("Mapping[str, Any]", thinking).get("budget_tokens")
        if isinstance(budget, int) and not isinstance(budget, bool) and budget >= 0:
            return "deep", budget
    raise ConfigurationError(
        f'thinking is {thinking!r}; use "off", "on", "auto", "answer_first" or {{"budget_tokens": n}} '
        "with n >= 0."
    )


def parse_effort(effort: Any) -> tuple[Mode, int | None]:
    """Mode and thinking budget for one of OpenAI's `reasoning_effort` levels.

    Raises:
        ConfigurationError: there is no such level.
    """
    if effort in _NO_EFFORT:
        return "fast", None
    if effort in _EFFORT_BUDGETS:
        return "deep", _EFFORT_BUDGETS[effort]
    raise ConfigurationError(f"reasoning_effort is {effort!r}; use one of: {', '.join(EFFORT_LEVELS)}.")
