"""The tool mode: the model writes a formula for a calculator, or answers from what the calculator said.

The prompt, and a thought if there is one, are read by the shipped weights; what follows the mode token, by the
weights of `tool_weights`. Only a formula's tokens may come, so that its syntax is the model's, its alphabet ours.
"""

import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from adaptive_reasoner.embedded.blas import single_threaded_blas
from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.generation import (
    GeneratedToken,
    GenerationConfig,
    decode,
    generate,
    room_for,
)
from adaptive_reasoner.embedded.phases import PhaseRules, ThoughtLimits
from adaptive_reasoner.embedded.runtime import KVCache, Runtime
from adaptive_reasoner.embedded.sampling import Sampler, score_tokens
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.embedded.tool_format import TOOL_MARK
from adaptive_reasoner.embedded.weights import FloatArray

_ALPHABET = (*"0123456789.()", " +", " -", " *", " /", " (", *(f" {digit}" for digit in range(10)))
MAX_CALL_TOKENS = 96  # twice the longest formula of the training

Tokens = Generator[GeneratedToken, None, None]


class Turn(Protocol):
    """How tools change one answer."""

    def tokens(self, reading: "Reading") -> Tokens:
        """Generate the answer, in place of `generate`."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What is answered, and how it would be without tools.

    Attributes:
        runtime: the shipped weights.
        prompt: ids without a mode token.
        mode: how the question is answered if no tool is called.
        config: as for `generate`.
        cache: with the prompt read into it; None: it is still to be read.
    """

    runtime: Runtime
    prompt: Sequence[int]
    mode: Mode
    config: GenerationConfig
    cache: KVCache | None = None

    def read(self) -> KVCache:
        """The cache with the prompt read into it."""
        if self.cache is not None:
            return self.cache
        cache = self.runtime.new_cache(1)
        _read(self.runtime, cache, self.prompt)
        return cache


@dataclass(frozen=True, slots=True)
class CallTurn:
    """An answer that may be a call instead: the model decides at its first token, unless it must call."""

    tools: Runtime
    must_call: bool

    def tokens(self, reading: Reading) -> Tokens:
        """Generate a thought where the mode has one, then a call, or the answer that the mode gives.

        Raises:
            ContextWindowExceededError: the prompt leaves no room.
        """
        runtime, config = reading.runtime, reading.config
        room = room_for(runtime, len(reading.prompt) + 1, config)
        cache = reading.read()
        with closing(generate(runtime, reading.prompt, reading.mode, config, cache)) as usual:
            if reading.mode in ("deep", "refine"):
                thought = yield from _thought(usual)
                room -= thought
                if room <= 0:
                    return
            before = cache.length
            if reading.mode in ("deep", "refine"):
                _read(runtime, cache, [special("</think>")])
            call = self._call(cache, config, min(room, MAX_CALL_TOKENS))
            first = next(call)
            if first.id != special("<eos>"):
                yield first
                yield from call
                return
            call.close()
            cache.length = before  # as if the marks of a call had not been read
            yield from usual

    def _call(self, cache: KVCache, config: GenerationConfig, limit: int) -> Tokens:
        sampler = Sampler(config.temperature, config.seed)
        masks = formula_masks(self.tools.shape.vocab_size)
        unread = special(TOOL_MARK)
        for index in range(limit):
            logits = _read(self.tools, cache, [unread])
            must_go_on = self.must_call and index == 0
            unread = sampler.choose(logits[0] + masks[int(must_go_on)])
            scores = None
            if config.top_logprobs is not None:
                scores = score_tokens(logits, np.array([unread]), config.top_logprobs)[0]
            yield GeneratedToken(unread, in_thought=False, scores=scores, in_call=True)
            if unread == special("<eos>"):
                return


@dataclass(frozen=True, slots=True)
class ResultTurn:
    """An answer from a tool's result; `tail` is read after the prompt: the call, the result, the mode token."""

    tools: Runtime
    tail: tuple[int, ...]

    def tokens(self, reading: Reading) -> Tokens:
        """Generate the answer; the mode makes no difference to it.

        Raises:
            ContextWindowExceededError: prompt and result leave no room.
        """
        limit = room_for(reading.runtime, len(reading.prompt) + len(self.tail), reading.config)
        cache = reading.read()
        rules = PhaseRules("fast", ThoughtLimits())
        with single_threaded_blas():
            yield from decode(self.tools, (cache, list(self.tail)), rules, reading.config, limit)


def _thought(usual: Tokens) -> Generator[GeneratedToken, None, int]:
    """The tokens up to `</think>`; gives their number, or more than there can be where the thought was cut off."""
    for count, token in enumerate(usual, start=1):
        yield token
        if token.id == special("</think>"):
            return count
    return sys.maxsize


@cache
def formula_masks(vocab_size: int) -> FloatArray:
    """(2, vocab) to add to logits: 0 for a formula's tokens and, in the first row, its end; -inf elsewhere."""
    masks = np.full((2, vocab_size), -np.inf, dtype=np.float32)
    allowed = [encoding().encode_ordinary(text) for text in _ALPHABET]
    masks[:, [ids[0] for ids in allowed if len(ids) == 1]] = 0.0
    masks[0, special("<eos>")] = 0.0
    return masks


def _read(runtime: Runtime, cache: KVCache, ids: Sequence[int]) -> FloatArray:
    with single_threaded_blas():
        return runtime.forward(np.array([ids], dtype=np.int64), cache)
