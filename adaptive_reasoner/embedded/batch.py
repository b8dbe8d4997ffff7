"""Batched generation, for benchmarks and calibration: thousands of short problems a minute."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptive_reasoner.embedded.blas import single_threaded_blas
from adaptive_reasoner.embedded.dialogue import MODE_TOKENS, Mode
from adaptive_reasoner.embedded.generation import GeneratedToken, GenerationConfig, room_for
from adaptive_reasoner.embedded.phases import Phase, PhaseRules, phase_masks
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.sampling import Sampler, TokenScores, score_tokens
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.embedded.weights import FloatArray


@dataclass(frozen=True, slots=True)
class Generation:
    """One finished sequence: its tokens, the last being `<eos>` unless a limit cut it off."""

    tokens: tuple[GeneratedToken, ...]

    @property
    def answer(self) -> tuple[GeneratedToken, ...]:
        """The tokens after the thought, without `<eos>`."""
        eos = special("<eos>")
        return tuple(token for token in self.tokens if not token.in_thought and token.id != eos)

    @property
    def text(self) -> str:
        """The answer's text, with `<because>` spelled out."""
        return encoding().decode([token.id for token in self.answer])

    @property
    def thought(self) -> str:
        """The thought's text, with `</think>` spelled out."""
        return encoding().decode([token.id for token in self.tokens if token.in_thought])


@dataclass(slots=True)
class _Row:
    index: int
    read: list[int]
    rules: PhaseRules
    sampler: Sampler
    limit: int
    tokens: list[GeneratedToken]

    @property
    def is_done(self) -> bool:
        return self.rules.finished or len(self.tokens) >= self.limit


def generate_batch(
    runtime: Runtime,
    prompts: Sequence[Sequence[int]],
    mode: Mode,
    config: GenerationConfig | None = None,
    *,
    batch_size: int = 64,
    on_progress: Callable[[int], None] | None = None,
) -> list[Generation]:
    """Generate for many prompts; greedily the same tokens as `generate` gives one by one.

    Args:
        runtime: the model.
        prompts: ids from `dialogue.render_prompt`, without the mode token.
        mode: one mode for all of them.
        config: None takes the defaults. With a seed, row i draws from (seed, i), `generate` from (seed, 0).
        batch_size: sequences decoded together; more do not fit the CPU cache and are slower.
        on_progress: called with the number of prompts finished.

    Raises:
        ContextWindowExceededError: a prompt leaves no room for an answer.
    """
    settings = config or GenerationConfig()
    rows = [_new_row(runtime, index, prompt, mode, settings) for index, prompt in enumerate(prompts)]
    # Neighbours in length waste the least padding.
    by_length = sorted(rows, key=lambda row: len(row.read))
    for start in range(0, len(rows), batch_size):
        with single_threaded_blas():
            _run(runtime, by_length[start : start + batch_size], settings)
        if on_progress is not None:
            on_progress(min(start + batch_size, len(rows)))
    return [Generation(tuple(row.tokens)) for row in rows]


def _new_row(
    runtime: Runtime, index: int, prompt: Sequence[int], mode: Mode, config: GenerationConfig
) -> _Row:
    read = [*prompt, special(MODE_TOKENS[mode])]
    rules = PhaseRules(mode, config.thought)
    sampler = Sampler(config.temperature, config.seed, index)
    return _Row(index, read, rules, sampler, room_for(runtime, len(read), config), [])


def _run(runtime: Runtime, rows: list[_Row], config: GenerationConfig) -> None:
    """Decode one batch to its end, dropping finished rows once they are half of it."""
    width = max(len(row.read) for row in rows)
    cache = runtime.new_cache(len(rows), [width - len(row.read) for row in rows])
    step = np.array([[0] * (width - len(row.read)) + row.read for row in rows], dtype=np.int64)
    while rows:
        step = _advance(rows, runtime.forward(step, cache), config)
        live = [position for position, row in enumerate(rows) if not row.is_done]
        if len(live) <= len(rows) // 2:
            rows = [rows[position] for position in live]
            step = step[live]
            cache.keep(live)


def _advance(rows: Sequence[_Row], logits: FloatArray, config: GenerationConfig) -> NDArray[np.int64]:
    """Choose and record one token a row, (rows, 1); finished rows are carried along with token 0."""
    positions = [position for position, row in enumerate(rows) if not row.is_done]
    live, raw = [rows[position] for position in positions], logits[positions]
    thinking = [row.rules.phase is Phase.THOUGHT for row in live]
    allowed = raw + phase_masks(logits.shape[1])[[row.rules.phase for row in live]]
    chosen = [row.rules.take(row.sampler.choose(allowed[index])) for index, row in enumerate(live)]
    step = np.zeros((len(rows), 1), dtype=np.int64)
    step[positions, 0] = chosen
    for index, scores in enumerate(_scores(raw, step[positions, 0], thinking, config)):
        live[index].tokens.append(GeneratedToken(chosen[index], thinking[index], scores))
    return step


def _scores(
    logits: FloatArray, tokens: NDArray[np.int64], thinking: Sequence[bool], config: GenerationConfig
) -> list[TokenScores | None]:
    if config.top_logprobs is None:
        return [None] * len(tokens)
    wanted = [index for index, inside in enumerate(thinking) if config.score_thoughts or not inside]
    found: list[TokenScores | None] = [None] * len(tokens)
    for index, scores in zip(
        wanted, score_tokens(logits[wanted], tokens[wanted], config.top_logprobs), strict=True
    ):
        found[index] = scores
    return found
