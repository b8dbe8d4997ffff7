"""One answer of the embedded model while it comes into being: thought, text, usage, log probabilities."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.messages.ai import UsageMetadata

from adaptive_reasoner.embedded.answer_text import Piece, PieceBuilder, VisibleToken, visible_bytes
from adaptive_reasoner.embedded.call_options import CallOptions
from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.first_token import AutoChoice
from adaptive_reasoner.embedded.generation import GeneratedToken, generate
from adaptive_reasoner.embedded.openai_logprobs import choice_logprobs
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.tokenizer import special

MODEL_NAME = "adaptive-reasoner-embedded"
MODEL_PROVIDER = "adaptive_reasoner"

PieceKind = Literal["reasoning", "text"]


@dataclass(slots=True)
class Completion:
    """Runs one call; what it counted and collected is complete once `pieces` is used up."""

    runtime: Runtime
    prompt: Sequence[int]
    mode: Mode
    options: CallOptions
    auto: AutoChoice | None = None
    finish_reason: Literal["stop", "length"] = field(default="length", init=False)
    _output_tokens: int = field(default=0, init=False)
    _thought_tokens: int = field(default=0, init=False)
    _shown: dict[PieceKind, list[Piece]] = field(
        default_factory=lambda: {"reasoning": [], "text": []}, init=False
    )

    @property
    def thinks(self) -> bool:
        """The mode begins with a thought."""
        return self.mode in {"deep", "refine"}

    def pieces(self) -> Iterator[tuple[PieceKind, Piece]]:
        """Generate; give each stretch of whole characters once it is ready."""
        builders = {"reasoning": PieceBuilder(), "text": PieceBuilder(self.options.stop)}
        cache = self.auto.cache if self.auto else None
        stream = generate(self.runtime, self.prompt, self.mode, self.options.generation, cache)
        with closing(stream) as tokens:
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

    def text(self, kind: PieceKind) -> str:
        """The thought or the answer, as far as it has come."""
        return "".join(piece.text for piece in self._shown[kind])

    @property
    def usage(self) -> UsageMetadata:
        """Tokens read and generated.

        `<eos>` is generated, and so is `</think>`, which counts as reasoning. The mode token is read, unless
        the model chose it.
        """
        chosen = self.auto is not None
        read, written = len(self.prompt) + (not chosen), self._output_tokens + chosen
        return UsageMetadata(
            input_tokens=read,
            output_tokens=written,
            total_tokens=read + written,
            output_token_details={"reasoning": self._thought_tokens},
        )

    def metadata(self, *, with_logprobs: bool = True) -> dict[str, Any]:
        """The message's `response_metadata`."""
        metadata: dict[str, Any] = {
            "model_name": MODEL_NAME,
            "model_provider": MODEL_PROVIDER,
            "finish_reason": self.finish_reason,
            "system_fingerprint": f"fp_{self.runtime.weights.fingerprint}",
        }
        if self.auto is not None:
            metadata["auto"] = self.auto.metadata()
        return metadata | self.logprobs("text", "reasoning") if with_logprobs else metadata

    def logprobs(self, *kinds: PieceKind) -> dict[str, Any]:
        """Metadata with the log probabilities so far; empty if none were asked for."""
        if self.options.generation.top_logprobs is None:
            return {}
        found: dict[str, Any] = {}
        for kind in kinds:
            if kind == "text" or self.thinks:
                tokens = [token for piece in self._shown[kind] for token in piece.tokens]
                found[LOGPROBS_KEY[kind]] = choice_logprobs(tokens)
        return found

    def _count(self, token: GeneratedToken) -> PieceKind | None:
        """Count a token; say where it shows, if it does."""
        self._output_tokens += 1
        if token.in_thought:
            self._thought_tokens += 1
            return None if token.id == special("</think>") else "reasoning"
        if token.id == special("<eos>"):
            self.finish_reason = "stop"
            return None
        return "text"

    def _record(self, kind: PieceKind, pieces: Iterator[Piece]) -> Iterator[tuple[PieceKind, Piece]]:
        for piece in pieces:
            self._shown[kind].append(piece)
            yield kind, piece


LOGPROBS_KEY: dict[PieceKind, str] = {"text": "logprobs", "reasoning": "reasoning_logprobs"}
