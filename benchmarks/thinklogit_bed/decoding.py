"""Greedy decoding of many rows by one or several models, each with its cache, under one rule.

Plain loops over `combine_logits`: a test holds the guided rule to what `generate` with `ThinkLogitsProcessor` writes.
Prompts are read once and every rule goes on from a copy of the caches; rows that are done are taken out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
from torch import Tensor

from adaptive_reasoner.decoding import combine_logits
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.training.embedded.model import Decoder
from adaptive_reasoner.training.embedded.sampling import Cache, advance

Role = Literal["target", "expert", "base"]
Logits = Mapping[Role, Tensor]

MAX_TOKENS = 120
ANSWER = encoding().encode_ordinary("Answer:")[0]
# A batch is packed anew when fewer of its rows than this share are still being written.
_PACK_BELOW = 0.7


@dataclass(slots=True)
class Voice:
    """One model that has read the rows so far.

    Attributes:
        logits: (rows, vocabulary) of the next token.
    """

    model: Decoder
    cache: Cache
    logits: Tensor

    @classmethod
    @torch.no_grad()
    def reading(cls, model: Decoder, prompts: Sequence[Sequence[int]]) -> "Voice":
        """A voice that has read prompts, padded on the left."""
        width = max(len(prompt) for prompt in prompts)
        ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
        padding = torch.tensor([width - len(prompt) for prompt in prompts])
        cache = Cache(padding, width + MAX_TOKENS)
        return cls(model, cache, advance(model, ids, cache))

    def fork(self, rows: Tensor | None = None) -> "Voice":
        """A copy of all rows or of some."""
        return Voice(self.model, self.cache.fork(rows), self.logits if rows is None else self.logits[rows])

    def read(self, ids: Tensor) -> None:
        """Read one token a row."""
        self.logits = advance(self.model, ids[:, None], self.cache)


@dataclass(slots=True)
class Told:
    """The log probabilities of what a rule writes, by row, as `TokenChoice` tells them.

    Attributes:
        rows: per row its tokens in order: the token's log probability, then (id, log probability) of the likeliest.
    """

    top: int = 20
    rows: dict[int, list[tuple[float, list[tuple[int, float]]]]] = field(
        default_factory=dict[int, list[tuple[float, list[tuple[int, float]]]]]
    )

    def note(self, rows: Tensor, scores: Tensor, chosen: Tensor) -> None:
        """Note one token of each row; those of rows that are done already must not be read."""
        logprobs = scores.float().log_softmax(-1)
        own = logprobs.gather(-1, chosen[:, None])[:, 0].tolist()
        best = logprobs.topk(min(self.top, logprobs.shape[-1]))
        for row, value, ids, values in zip(
            rows.tolist(), own, best.indices.tolist(), best.values.tolist(), strict=True
        ):
            self.rows.setdefault(row, []).append((value, list(zip(ids, values, strict=True))))


class Rule(Protocol):
    """What is written next."""

    @property
    def roles(self) -> tuple[Role, ...]:
        """The models that it needs."""
        ...

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:
        """(rows, vocabulary); the largest is written.

        Args:
            logits: of each role.
            step: tokens written so far.
            rows: numbers of the rows in the whole batch.
        """
        ...


@dataclass(frozen=True, slots=True)
class Alone:
    """One model by itself."""

    role: Role = "target"

    @property
    def roles(self) -> tuple[Role, ...]:
        """Its own."""
        return (self.role,)

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:  # noqa: ARG002
        """Its own."""
        return logits[self.role]


@dataclass(frozen=True, slots=True)
class Forced:
    """The target, whose first tokens are given."""

    first: tuple[int, ...]
    roles: tuple[Role, ...] = ("target",)

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:  # noqa: ARG002
        """The given token, or the target's own."""
        scores = logits["target"]
        if step >= len(self.first):
            return scores
        only = torch.full_like(scores, -torch.inf)
        only[:, self.first[step]] = 0
        return only


@dataclass(frozen=True, slots=True)
class Restricted:
    """The target, which chooses its first token among those that begin worked solutions."""

    first: tuple[int, ...]
    roles: tuple[Role, ...] = ("target",)

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:  # noqa: ARG002
        """The target's, at first those of `first` alone."""
        scores = logits["target"]
        if step:
            return scores
        only = torch.full_like(scores, -torch.inf)
        only[:, list(self.first)] = scores[:, list(self.first)]
        return only


@dataclass(slots=True)
class Banned:
    """The target, which may not begin its answer the first so many times that it wants to."""

    times: int
    roles: tuple[Role, ...] = ("target",)
    _count: dict[int, int] = field(default_factory=dict[int, int])

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:
        """The target's, its answer ruled out while that is due."""
        if step == 0:
            self._count = {}
        scores = logits["target"].clone()
        wanting = (scores.argmax(-1) == ANSWER).nonzero()[:, 0].tolist()
        for index in wanting:
            row = int(rows[index])
            if self._count.get(row, 0) < self.times:
                self._count[row] = self._count.get(row, 0) + 1
                scores[index, ANSWER] = -torch.inf
        return scores


@dataclass(frozen=True, slots=True)
class Prefixed:
    """The tuned guider writes the first tokens, the target the rest."""

    tokens: int
    roles: tuple[Role, ...] = ("target", "expert")

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:  # noqa: ARG002
        """The guider's, then the target's."""
        return logits["expert" if step < self.tokens else "target"]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Target and tuned guider together, without the base."""

    weight: float
    roles: tuple[Role, ...] = ("target", "expert")

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:  # noqa: ARG002
        """The weighted sum of log probabilities."""
        return logits["target"].log_softmax(-1) + self.weight * logits["expert"].log_softmax(-1)


@dataclass(frozen=True, slots=True)
class Guided:
    """THINKLOGIT."""

    alpha: float
    roles: tuple[Role, ...] = ("target", "expert", "base")

    def scores(self, logits: Logits, step: int, rows: Tensor) -> Tensor:  # noqa: ARG002
        """z_target + alpha (z_expert - z_base)."""
        return combine_logits(logits["target"], logits["expert"], logits["base"], self.alpha)


@torch.no_grad()
def write(voices: Mapping[Role, Voice], rule: Rule, told: Told | None = None) -> list[list[int]]:
    """Each row's answer, its end token included where it came.

    Args:
        voices: that have read the same prompts; they are left as they are.
        rule: what is written next.
        told: receives the log probabilities.
    """
    speaking = {role: voices[role].fork() for role in rule.roles}
    count = len(voices[rule.roles[0]].logits)
    written: list[list[int]] = [[] for _ in range(count)]
    rows, running = torch.arange(count), torch.ones(count, dtype=torch.bool)
    for step in range(MAX_TOKENS):
        logits: Logits = {role: voice.logits for role, voice in speaking.items()}
        scores = rule.scores(logits, step, rows)
        chosen = scores.argmax(-1)
        if told is not None:
            told.note(rows, scores, chosen)
        for row, token, is_running in zip(rows.tolist(), chosen.tolist(), running.tolist(), strict=True):
            if is_running:
                written[row].append(token)
        running = running & (chosen != special("<eos>"))
        if not bool(running.any()):
            break
        if float(running.float().mean()) < _PACK_BELOW:
            kept = running.nonzero()[:, 0]
            speaking = {role: voice.fork(kept) for role, voice in speaking.items()}
            rows, chosen, running = rows[kept], chosen[kept], running[kept]
        for voice in speaking.values():
            voice.read(chosen)
    return written
