"""Random tiny Llamas, and guidance without any cache to hold the processor against."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, LogitsProcessor

PAD, BOS, EOS = 0, 1, 2


def tiny_llama(seed: int, vocab_size: int = 48, hidden_size: int = 16, context: int = 128) -> Any:
    """A random model whose next-token distribution is far from flat."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocab_size, hidden_size=hidden_size, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=context, initializer_range=0.4,
        pad_token_id=PAD, bos_token_id=BOS, eos_token_id=EOS,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def padded_prompts(seed: int, lengths: Sequence[int], vocab_size: int = 48) -> tuple[Tensor, Tensor]:
    """(rows, longest) random prompts padded on the left, and their mask."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.full((len(lengths), max(lengths)), PAD)
    for row, length in enumerate(lengths):
        ids[row, -length:] = torch.randint(3, vocab_size, (length,), generator=draw)
    return ids, (ids != PAD).long()


def whole_text_logits(model: Any, ids: Tensor) -> Tensor:
    """(rows, V) logits after each row, its leading padding cut off, everything computed anew."""
    padding = (ids == PAD).long().cumprod(1).sum(1)
    found = torch.empty(len(ids), model.config.vocab_size)
    for cut in padding.unique().tolist():  # rows of one length need no mask together
        rows = padding == cut
        with torch.no_grad():
            found[rows] = model(ids[rows, cut:], use_cache=False).logits[:, -1]
    return found


class NaiveGuidance(LogitsProcessor):
    """The formula as the paper prints it, without a cache or a mask; the models share their vocabulary."""

    def __init__(self, expert: Any, base: Any, alpha: float, warmup_tokens: int = 0) -> None:
        self.expert, self.base, self.alpha, self.warmup_tokens = expert, base, alpha, warmup_tokens
        self.prompt_length: int | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self.prompt_length = self.prompt_length or input_ids.shape[1]
        if input_ids.shape[1] - self.prompt_length < self.warmup_tokens:
            return scores
        delta = whole_text_logits(self.expert, input_ids) - whole_text_logits(self.base, input_ids)
        return (scores + self.alpha * delta).log_softmax(-1)
