"""Draws responses from any Hugging Face causal language model."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


class Drawer:
    """A model with its tokenizer.

    Args:
        model: a causal language model with `generate`; it may be wrapped for data-parallel training.
        tokenizer: of the same directory.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer

    def prompt_text(self, question: str) -> str:
        """The text up to where the model answers, by its chat template where it has one."""
        if self.tokenizer.chat_template:
            turns = [{"role": "user", "content": question}]
            return str(self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False))
        return f"{question}\n"

    def prompt(self, question: str) -> list[int]:
        """Token ids up to where the model answers."""
        text = self.prompt_text(question)
        if self.tokenizer.chat_template:
            return list(self.tokenizer.encode(text, add_special_tokens=False))
        return list(self.tokenizer.encode(text))

    def text(self, response: Sequence[int]) -> str:
        """A response as text, without special tokens."""
        return str(self.tokenizer.decode(response, skip_special_tokens=True))

    @torch.no_grad()
    def draw_after(
        self, prompts: Sequence[Sequence[int]], count: int, max_tokens: int, temperature: float = 1.0
    ) -> list[list[list[int]]]:
        """Draw `count` responses to each prompt from the model's whole distribution.

        Returns:
            Per prompt, per draw: token ids with the end token, if it came.
        """
        read = [torch.tensor(prompt) for prompt in prompts]
        pad = self.pad
        ids = pad_sequence(read, batch_first=True, padding_value=pad, padding_side="left")
        mask = pad_sequence([torch.ones_like(one) for one in read], batch_first=True, padding_side="left")
        model = getattr(self.model, "module", self.model)
        found: Tensor = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            do_sample=True,
            temperature=temperature,
            top_k=0,
            top_p=1.0,
            num_return_sequences=count,
            max_new_tokens=max_tokens,
            pad_token_id=pad,
            eos_token_id=self.tokenizer.eos_token_id,
        )
        drawn = cast("list[list[int]]", found[:, ids.shape[1] :].tolist())  # pyright: ignore[reportUnknownMemberType]
        ends = [self._until_end(response) for response in drawn]
        return [ends[row * count : (row + 1) * count] for row in range(len(prompts))]

    def _until_end(self, response: list[int]) -> list[int]:
        end = self.tokenizer.eos_token_id
        return response[: response.index(end) + 1] if end in response else response

    @property
    def pad(self) -> int:
        """The id that fills rows up."""
        pad = self.tokenizer.pad_token_id
        return int(self.tokenizer.eos_token_id if pad is None else pad)
