"""Generation from token ids: one sequence as a stream of tokens.

Batches are in `batch`, text in `answer_text`; both modules and the chat model share what is defined here.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np

from adaptive_reasoner.embedded.blas import single_threaded_blas
from adaptive_reasoner.embedded.dialogue import MODE_TOKENS, Mode
from adaptive_reasoner.embedded.phases import Phase, PhaseRules, ThoughtLimits, phase_masks
from adaptive_reasoner.embedded.runtime import KVCache, Runtime
from adaptive_reasoner.embedded.sampling import MAX_TOP_LOGPROBS, Sampler, TokenScores, score_tokens
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.errors import ConfigurationError, ContextWindowExceededError

MIN_NEW_TOKENS = 16  # room that a prompt must leave: enough for an answer without a thought


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationConfig:
    """How to generate.

    Attributes:
        max_tokens: generated tokens, thought and `<eos>` included; None: up to the context.
        temperature: 0 is greedy.
        seed: for temperature > 0; None draws fresh randomness.
        top_logprobs: alternatives reported a token, 0 to 20; None: no scores at all.
        score_thoughts: report scores of thought tokens too.
        thought: how the thought is steered.
    """

    max_tokens: int | None = None
    temperature: float = 0.0
    seed: int | None = None
    top_logprobs: int | None = None
    score_thoughts: bool = True
    thought: ThoughtLimits = field(default_factory=ThoughtLimits)

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise ConfigurationError(f"temperature is {self.temperature}; it must be 0 or greater.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ConfigurationError(f"max_tokens is {self.max_tokens}; it must be 1 or greater.")
        if not 0 <= (self.top_logprobs or 0) <= MAX_TOP_LOGPROBS:
            raise ConfigurationError(f"top_logprobs is {self.top_logprobs}; it must lie between 0 and 20.")
        if (self.thought.budget_tokens or 0) < 0:
            raise ConfigurationError("A thinking budget must be 0 tokens or more.")


@dataclass(frozen=True, slots=True)
class GeneratedToken:
    """One generated token; `in_thought` holds for `</think>` too; `scores` where they were asked for."""

    id: int
    in_thought: bool
    scores: TokenScores | None
    in_call: bool = False


def generate(
    runtime: Runtime,
    prompt: Sequence[int],
    mode: Mode,
    config: GenerationConfig | None = None,
    cache: KVCache | None = None,
) -> Generator[GeneratedToken, None, None]:
    """Generate token by token, up to and including `<eos>`.

    The stream ends without `<eos>` when `max_tokens` or the context is used up.

    Args:
        runtime: the model.
        prompt: ids from `dialogue.render_prompt`, without the mode token.
        mode: decides the mode token, which is read as part of the prompt.
        config: None takes the defaults.
        cache: with the prompt read into it, so that it is not read again.

    Raises:
        ContextWindowExceededError: the prompt leaves no room for an answer.
    """
    settings = config or GenerationConfig()
    token = special(MODE_TOKENS[mode])
    limit = room_for(runtime, len(prompt) + 1, settings)
    start = (runtime.new_cache(1), [*prompt, token]) if cache is None else (cache, [token])
    with single_threaded_blas():
        yield from decode(runtime, start, PhaseRules(mode, settings.thought), settings, limit)


def room_for(runtime: Runtime, prompt_tokens: int, config: GenerationConfig) -> int:
    """How many tokens may follow a prompt (mode token included).

    Raises:
        ContextWindowExceededError: fewer than `MIN_NEW_TOKENS`.
    """
    room = runtime.shape.context - prompt_tokens
    if room < MIN_NEW_TOKENS:
        allowed = runtime.shape.context - MIN_NEW_TOKENS
        raise ContextWindowExceededError(
            f"The prompt has {prompt_tokens} tokens; the embedded model reads at most {allowed}. "
            "Shorten the question, or use a model with a longer context."
        )
    return min(room, config.max_tokens or room)


def decode(
    runtime: Runtime,
    start: tuple[KVCache, list[int]],
    rules: PhaseRules,
    config: GenerationConfig,
    limit: int,
) -> Generator[GeneratedToken, None, None]:
    """Generate after what a cache holds and what is still to be read, up to `<eos>` or `limit` tokens.

    Args:
        runtime: reads on and writes.
        start: the cache, and the ids that come next.
        rules: which tokens may come when.
        config: how to choose and what to report.
        limit: tokens at most, 1 or more.
    """
    cache, unread = start
    sampler = Sampler(config.temperature, config.seed)
    masks = phase_masks(runtime.shape.vocab_size)
    step = np.array([unread], dtype=np.int64)
    for index in range(limit):
        logits = runtime.forward(step, cache)
        in_thought = rules.phase is Phase.THOUGHT
        token = rules.take(sampler.choose(logits[0] + masks[rules.phase]))
        step = np.array([[token]], dtype=np.int64)
        scores = None
        if config.top_logprobs is not None and (config.score_thoughts or not in_thought):
            scores = score_tokens(logits, step[0], config.top_logprobs)[0]
        yield GeneratedToken(token, in_thought, scores)
        if rules.finished or index + 1 == limit:
            return
