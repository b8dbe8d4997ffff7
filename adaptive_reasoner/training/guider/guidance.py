"""The guided target while its guider is tuned: it draws answers, or its probabilities are what training moves."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from adaptive_reasoner.decoding.combination import combine_logits
from adaptive_reasoner.decoding.local_model import LocalModel, load_local_model
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.decoding.think_options import ThinkOptions
from adaptive_reasoner.decoding.think_processor import ThinkLogitsProcessor
from adaptive_reasoner.decoding.vocabulary_map import require_same_tokens
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.training.drawing import Drawer
from adaptive_reasoner.training.guider.config import SamplingConfig

_NOT_SCORED = -100  # transformers' label of a token that no loss counts


class GuidedWriter:
    """The target steered by the guider, with as much of a model as `Drawer` asks for."""

    def __init__(self, target: Any, processor: ThinkLogitsProcessor) -> None:
        self._target, self._processor = target, processor

    @property
    def device(self) -> Any:
        """Where the target lies."""
        return self._target.device

    def generate(self, **given: Any) -> Tensor:
        """As the target's own, every token guided."""
        self._processor.reset()
        return self._target.generate(**given, logits_processor=[self._processor])


def guided_drawer(config: SamplingConfig, device: str) -> Drawer:
    """Draws answers of the guided target from its whole distribution."""
    options = LocalOptions(device=device)
    target, expert, base = (load_local_model(name, options) for name in _names(config))
    drawer = Drawer(target.model, target.tokenizer)
    think = ThinkOptions(
        pad_token_id=drawer.pad, eos_token_id=target.tokenizer.eos_token_id, repeat_limit=None
    )
    processor = ThinkLogitsProcessor(expert.model, base.model, config.alpha, options=think)
    return Drawer(GuidedWriter(target.model, processor), target.tokenizer)


def check_vocabulary(config: SamplingConfig) -> None:
    """Refuse models that do not share their tokens; only tokenizers are loaded.

    Raises:
        ConfigurationError: a tokenizer cannot be read, or is another one.
    """
    tokenizers = [_tokenizer(name) for name in _names(config)]
    for name, tokenizer in zip(("guider", "base"), tokenizers[1:], strict=True):
        require_same_tokens(tokenizers[0], tokenizer, name)


def move_guided_probabilities(trainer: Any, config: SamplingConfig, device: str) -> None:
    """Make a trl trainer score answers by the guided target, of which the guider alone learns.

    Both the policy and its reference (the guider without its adapter) are guided so.

    Args:
        trainer: a DPOTrainer, not yet started.
        config: names the frozen target and base, and alpha.
        device: where they are put.
    """
    options = LocalOptions(device=device, dtype="float32")
    target, base = (load_local_model(name, options) for name in (config.target or "", config.base or ""))
    model = trainer.model.get_base_model()
    model.forward = _guided_forward(model.forward, target, base, config.alpha)


def _guided_forward(
    own: Callable[..., Any], target: LocalModel, base: LocalModel, alpha: float
) -> Callable[..., Any]:
    def forward(*given: Any, fused_lm_head: bool = False, labels: Any = None, **named: Any) -> Any:
        if not fused_lm_head:
            return own(*given, labels=labels, **named)
        read = {"input_ids": named["input_ids"], "attention_mask": named.get("attention_mask")}
        with torch.no_grad():
            frozen = [one.model(**read, use_cache=False).logits[:, :-1] for one in (target, base)]
        scores = own(**read, use_cache=False).logits[:, :-1]
        return _scored(combine_logits(frozen[0], scores, frozen[1], alpha), labels[:, 1:])

    return forward


def _scored(logits: Tensor, labels: Tensor) -> Any:
    """What trl reads of a model: a value for each token that is scored, 0 for the others.

    Args:
        logits: (rows, length, vocabulary).
        labels: (rows, length), -100 where nothing is scored.
    """
    mask = labels != _NOT_SCORED
    wanted = labels.clamp(min=0)
    logprobs = logits.log_softmax(-1)
    values = {
        "log_probs": logprobs.gather(-1, wanted[..., None])[..., 0],
        "entropy": -(logprobs.exp() * logprobs).sum(-1).detach(),
        "mean_logits": logits.mean(-1).detach(),
        "is_top1": logits.argmax(-1) == wanted,
    }
    found = {name: value.masked_fill(~mask, 0) for name, value in values.items()}
    return import_module("trl.trainer.utils").FusedCausalLMOutput(**found, label_mask=mask)


def _names(config: SamplingConfig) -> tuple[str, str, str]:
    return config.target or "", config.guider, config.base or ""


def _tokenizer(name: str) -> Any:
    load: Any = import_module("transformers").AutoTokenizer
    try:
        return load.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        first = str(error).strip().partition("\n")[0]
        raise ConfigurationError(f"The tokenizer of {name!r} cannot be read: {first}") from error
