"""One answer of the embedded model while it comes into being: thought, text or call, usage, log probabilities."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from langchain_core.messages.ai import UsageMetadata

from adaptive_reasoner.embedded.answer_text import Piece, PieceBuilder, VisibleToken, visible_bytes
from adaptive_reasoner.embedded.call_options import CallOptions
from adaptive_reasoner.embedded.call_text import CallBuilder
from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.first_token import AutoChoice
from adaptive_reasoner.embedded.generation import GeneratedToken, generate
from adaptive_reasoner.embedded.openai_logprobs import choice_logprobs
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.embedded.tool_mode import Reading, ResultTurn, Turn
from adaptive_reasoner.embedded.tool_offer import ToolOffer
from adaptive_reasoner.uncertainty.tokens import UNTRUSTED

MODEL_NAME = "adaptive-reasoner-embedded"
MODEL_PROVIDER = "adaptive_reasoner"

PieceKind = Literal["reasoning", "text", "call"]


@dataclass(slots=True)
class Completion:
    """Runs one call; what it counted and collected is complete once `pieces` is used up.

    `turn` is how tools change the answer, and `offer` the tool that may be called; both None: not at all.
    `model_name` is who is said to have answered; `outside`, why its probabilities say nothing about this question.
    """

    runtime: Runtime
    prompt: Sequence[int]
    mode: Mode
    options: CallOptions
    auto: AutoChoice | None = None
    turn: Turn | None = None
    offer: ToolOffer | None = None
    model_name: str = MODEL_NAME
    outside: str | None = None
    call_id: str = field(default_factory=lambda: f"call_{uuid4().hex[:24]}")
    finish_reason: Literal["stop", "length", "tool_calls"] = field(default="length", init=False)
    _output_tokens: int = field(default=0, init=False)
    _thought_tokens: int = field(default=0, init=False)
    _shown: dict[PieceKind, list[Piece]] = field(
        default_factory=lambda: {"reasoning": [], "text": [], "call": []}, init=False
    )

    @property
    def thinks(self) -> bool:
        """The mode begins with a thought."""
        return self.mode in {"deep", "refine"}

    @property
    def has_logprobs_in_chunks(self) -> bool:
        """Each chunk carries its own; those that say nothing come at the end, with the reason."""
        asked = self.options.logprobs_in_chunks and self.options.generation.top_logprobs is not None
        return asked and self.outside is None

    def pieces(self) -> Iterator[tuple[PieceKind, Piece]]:
        """Generate; give each stretch of whole characters once it is ready."""
        builders: dict[PieceKind, PieceBuilder | CallBuilder] = {
            "reasoning": PieceBuilder(),
            "text": PieceBuilder(self.options.stop),
            "call": CallBuilder(self.offer.parameter if self.offer else ""),
        }
        with closing(self._tokens()) as tokens:
            for token in tokens:
                kind = self._count(token)
                if kind is not None:
                    visible = VisibleToken(token.id, visible_bytes(token.id), token.scores)
                    yield from self._record(kind, builders[kind].add(visible))
                if builders["text"].stopped:
                    self.finish_reason = "stop"
                    break
        yield from self._record("reasoning", builders["reasoning"].finish())
        yield from self._record("text", builders["text"].finish())

    def _tokens(self) -> Generator[GeneratedToken, None, None]:
        cache = self.auto.cache if self.auto else None
        config = self.options.generation
        if self.turn is None:
            return generate(self.runtime, self.prompt, self.mode, config, cache)
        return self.turn.tokens(Reading(self.runtime, self.prompt, self.mode, config, cache))

    def text(self, kind: PieceKind) -> str:
        """The thought, the answer or the call's arguments, as far as they have come."""
        return "".join(piece.text for piece in self._shown[kind])

    def calls(self) -> dict[str, list[Any]]:
        """The call as a message's fields: a valid one, or one that was cut off; empty without a call."""
        arguments = self.text("call")
        if not arguments or self.offer is None:
            return {}
        call = {"name": self.offer.name, "id": self.call_id}
        if self.finish_reason == "tool_calls":
            return {"tool_calls": [{**call, "args": json.loads(arguments), "type": "tool_call"}]}
        cut = {"args": arguments, "error": "cut off at the limit of tokens", "type": "invalid_tool_call"}
        return {"invalid_tool_calls": [{**call, **cut}]}

    @property
    def usage(self) -> UsageMetadata:
        """Tokens read and generated.

        `<eos>` is generated, and so is `</think>`, which counts as reasoning. The mode token is read, unless
        the model chose it; so are a tool's call and result.
        """
        chosen = self.auto is not None
        tail = len(self.turn.tail) if isinstance(self.turn, ResultTurn) else 0 if chosen else 1
        read, written = len(self.prompt) + tail, self._output_tokens + chosen
        return UsageMetadata(
            input_tokens=read,
            output_tokens=written,
            total_tokens=read + written,
            output_token_details={"reasoning": self._thought_tokens},
        )

    def metadata(self, *, with_logprobs: bool = True) -> dict[str, Any]:
        """The message's `response_metadata`."""
        metadata: dict[str, Any] = {
            "model_name": self.model_name,
            "model_provider": MODEL_PROVIDER,
            "finish_reason": self.finish_reason,
            "system_fingerprint": f"fp_{self.runtime.weights.fingerprint}",
        }
        if self.auto is not None:
            metadata["auto"] = self.auto.metadata()
        if self.outside is not None:
            metadata[UNTRUSTED] = self.outside
        return metadata | self.logprobs() if with_logprobs else metadata

    def logprobs(self) -> dict[str, Any]:
        """Metadata with the log probabilities so far; empty if none were asked for."""
        if self.options.generation.top_logprobs is None:
            return {}
        kinds: list[PieceKind] = ["call" if self._shown["call"] else "text"]
        if self.thinks:
            kinds.append("reasoning")
        found: dict[str, Any] = {}
        for kind in kinds:
            tokens = [token for piece in self._shown[kind] for token in piece.tokens]
            found[LOGPROBS_KEY[kind]] = choice_logprobs(tokens)
        return found

    def _count(self, token: GeneratedToken) -> PieceKind | None:
        """Count a token; say where it shows, if it does."""
        self._output_tokens += 1
        if token.in_thought:
            self._thought_tokens += 1
            return None if token.id == special("</think>") else "reasoning"
        if token.in_call:
            self.finish_reason = "tool_calls" if token.id == special("<eos>") else "length"
            return "call"
        if token.id == special("<eos>"):
            self.finish_reason = "stop"
            return None
        return "text"

    def _record(self, kind: PieceKind, pieces: Iterator[Piece]) -> Iterator[tuple[PieceKind, Piece]]:
        for piece in pieces:
            self._shown[kind].append(piece)
            yield kind, piece


LOGPROBS_KEY: dict[PieceKind, str] = {
    "text": "logprobs",
    "call": "logprobs",
    "reasoning": "reasoning_logprobs",
}
