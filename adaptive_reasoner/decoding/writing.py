"""One answer of a local model while it comes into being, guided or not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from adaptive_reasoner.decoding.guider import Guider
from adaptive_reasoner.decoding.local_model import LocalModel
from adaptive_reasoner.decoding.token_choice import ChosenToken, SamplingOptions, TokenChoice
from adaptive_reasoner.decoding.written_text import StopText, TextOfTokens, WrittenToken


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """What one answer may be.

    Attributes:
        sampling: how tokens are drawn.
        max_tokens: generated tokens.
        stop: strings before which the text ends.
        thought_tokens: a thought that was opened by <think> is closed after so many tokens; None: never.
    """

    sampling: SamplingOptions
    max_tokens: int
    stop: tuple[str, ...] = ()
    thought_tokens: int | None = None


@dataclass(slots=True)
class Writing:
    """Writes one answer; what it counted is complete once `tokens` is used up.

    Attributes:
        target: the model that writes.
        steering: a logits processor that moves its scores; None: it writes alone.
        prompt: token ids.
        finish_reason: "stop" once the model or a stop string ended it.
        generated: token ids so far, the end token included.
    """

    target: LocalModel
    steering: Any
    prompt: list[int]
    options: WritingOptions
    finish_reason: Literal["stop", "length"] = field(default="length", init=False)
    generated: list[int] = field(default_factory=list[int], init=False)

    def tokens(self) -> Iterator[WrittenToken]:
        """Generate; give each token once its text can be shown."""
        texts, stop = TextOfTokens(self.target.tokenizer), StopText(self.options.stop)
        for token in self._chosen():
            written = texts.add(token)
            if written is not None:
                yield from stop.add(written)
            if stop.stopped:
                self.finish_reason = "stop"
                return
        rest = texts.finish()
        if rest is not None:
            yield from stop.add(rest)
        yield from stop.finish()

    def _chosen(self) -> Iterator[ChosenToken]:
        """Tokens until the end token, which is counted and not given, or the limit."""
        choice = TokenChoice(self.options.sampling)
        reading = Guider(self.target.model, None, 0)
        ids = torch.tensor([self.prompt])
        while len(self.generated) < self.options.max_tokens:
            scores = self._scores(reading, ids)
            forced = self._forced()
            token = choice.choose(ids, scores) if forced is None else choice.told(forced, scores)
            self.generated.append(token.id)
            if token.id in self.target.end_ids:
                self.finish_reason = "stop"
                return
            yield token
            ids = torch.cat([ids, torch.tensor([[token.id]])], dim=1)

    def _scores(self, reading: Guider, ids: Tensor) -> Tensor:
        scores = reading.next_logits(ids).cpu()
        return scores if self.steering is None else self.steering(ids, scores)

    def _forced(self) -> int | None:
        """The mark that closes a thought which used up its tokens."""
        limit = self.options.thought_tokens
        if limit is None or len(self.generated) < limit:
            return None
        marks = self.target.tokenizer.get_vocab()
        opening, closing = marks.get("<think>"), marks.get("</think>")
        is_open = opening in self.generated or opening in self.prompt[-2:]
        return closing if is_open and closing not in self.generated else None
