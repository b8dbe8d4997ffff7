"""`GuidedChatModel`: a large local model, steered by a small pair, as a LangChain chat model (THINKLOGIT)."""

from typing import Any

from pydantic import Field, PrivateAttr
from typing_extensions import override

from adaptive_reasoner.decoding.call_wishes import CallWishes
from adaptive_reasoner.decoding.combination import Combination
from adaptive_reasoner.decoding.local_chat_model import LocalChatModel, LocalThinking
from adaptive_reasoner.decoding.local_model import LocalModel, load_local_model
from adaptive_reasoner.decoding.schedules import AlphaSchedule, BoundedAlpha, ConstantAlpha, WarmupAlpha
from adaptive_reasoner.decoding.think_options import ThinkOptions
from adaptive_reasoner.decoding.think_processor import ThinkLogitsProcessor
from adaptive_reasoner.decoding.vocabulary_map import VocabularyMap


class GuidedChatModel(LocalChatModel):
    """One model, two speeds: thinking off, the target writes alone; on, the pair's difference steers every token.

    So it is both nodes of a graph at once: `build_reasoning_graph(GuidedChatModel(...))` answers with the target and
    thinks with the guided target. Log probabilities are those of the combined distribution. A thinking budget of n
    tokens guides the first n, after which the target goes on alone. Tokenizers are compared token by token when the
    models are loaded, unless a vocabulary map is given.

    Attributes:
        expert: the small model tuned to think, a folder or a name on the hub.
        base: the small model before tuning.
        alpha: strength of guidance; 1 is the paper's, and worth choosing on questions of your own.
        warmup_tokens: tokens of every answer that the target writes alone.
        vocabulary_map: JSON file {target token: guider token}, for guiders of another family; None: one vocabulary.
        repeat_limit: an answer that says one token so many times in a row ends; None: never.
        nucleus: only tokens in this share of the target's own probability may be written; None: any.

    Raises:
        ConfigurationError: as `LocalChatModel`; alpha is not finite; the tokenizers differ and no map is given.
    Source: arXiv 2510.09354.
    """

    expert: str
    base: str
    alpha: float = 1.0
    warmup_tokens: int = Field(default=0, ge=0)
    vocabulary_map: str | None = None
    repeat_limit: int | None = 10
    nucleus: float | None = None
    thinking: LocalThinking = "on"

    _guiders: tuple[LocalModel, LocalModel, ThinkOptions] | None = PrivateAttr(default=None)

    @property
    @override
    def model_name(self) -> str:
        """Names all three, because a profile fits none of them alone."""
        names = (self._base_name(name) for name in (self.model, self.expert, self.base))
        return "guided:{},{},{}".format(*names)

    @property
    @override
    def obeys_thinking(self) -> bool:
        """True: guidance is the switch."""
        return True

    @override
    def load(self) -> LocalModel:
        """The target; the guiders are loaded with it, and their vocabularies compared, once."""
        with self._lock:
            target = super().load()
            if self._guiders is None:
                expert, base = (load_local_model(name, self.options) for name in (self.expert, self.base))
                self._guiders = expert, base, self._think_options(target, expert, base)
            return target

    @override
    def _check(self) -> None:
        self._schedule(None)
        Combination(nucleus=self.nucleus)
        super()._check()

    @override
    def _folders(self) -> list[str]:
        return [self.model, self.expert, self.base]

    @override
    def _steering(self, wishes: CallWishes) -> Any:
        """A processor of its own for each answer: its caches are that answer's."""
        if not wishes.is_thinking or self._guiders is None:
            return None
        expert, base, options = self._guiders
        return ThinkLogitsProcessor(
            expert.model, base.model, self._schedule(wishes.thought_tokens), options=options
        )

    def _schedule(self, thought_tokens: int | None) -> AlphaSchedule:
        warm = (
            WarmupAlpha(self.alpha, self.warmup_tokens) if self.warmup_tokens else ConstantAlpha(self.alpha)
        )
        return warm if thought_tokens is None else BoundedAlpha(warm, thought_tokens)

    def _think_options(self, target: LocalModel, expert: LocalModel, base: LocalModel) -> ThinkOptions:
        """One row without padding; the target's own end token."""
        mapped = self._map(target, expert)
        return ThinkOptions(
            how=Combination(mapped, self.nucleus, normalize=mapped is not None),
            pad_token_id=-1,
            eos_token_id=min(target.end_ids, default=None),
            repeat_limit=self.repeat_limit,
            tokenizers=(target.tokenizer, expert.tokenizer, base.tokenizer),
        )

    def _map(self, target: LocalModel, expert: LocalModel) -> VocabularyMap | None:
        if self.vocabulary_map is None:
            return None
        return VocabularyMap.load(
            self.vocabulary_map, target.tokenizer.get_vocab(), expert.tokenizer.get_vocab()
        )
