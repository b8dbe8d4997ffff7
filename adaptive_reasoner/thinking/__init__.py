"""How each model switches thinking on and off, what it thought, and whether log probabilities will arrive."""

from adaptive_reasoner.thinking.effect import Effect, thinking_took_effect, unmet_wish
from adaptive_reasoner.thinking.facts import is_embedded, model_name_of
from adaptive_reasoner.thinking.keeping import keep_thoughts
from adaptive_reasoner.thinking.output_limit import own_limit, takes_max_tokens
from adaptive_reasoner.thinking.switch import (
    has_answer_first,
    has_thinking_switch,
    logprob_kwargs,
    takes_temperature,
    thinking_kwargs,
)
from adaptive_reasoner.thinking.table import FAMILIES, family_of, settle_call, ways_of
from adaptive_reasoner.thinking.thoughts import (
    sent_thoughts,
    thought_text,
    thoughts_of,
    with_thoughts_apart,
    with_thoughts_beside,
)
from adaptive_reasoner.thinking.two_calls import second_prompt_tokens
from adaptive_reasoner.thinking.ways import Family, Thinking, Ways, merged

__all__ = [
    "FAMILIES",
    "Effect",
    "Family",
    "Thinking",
    "Ways",
    "family_of",
    "has_answer_first",
    "has_thinking_switch",
    "is_embedded",
    "keep_thoughts",
    "logprob_kwargs",
    "merged",
    "model_name_of",
    "own_limit",
    "second_prompt_tokens",
    "sent_thoughts",
    "settle_call",
    "takes_max_tokens",
    "takes_temperature",
    "thinking_kwargs",
    "thinking_took_effect",
    "thought_text",
    "thoughts_of",
    "unmet_wish",
    "ways_of",
    "with_thoughts_apart",
    "with_thoughts_beside",
]
