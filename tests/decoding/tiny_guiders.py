"""A tiny vocabulary and Llamas that are taught a few sentences in it."""

from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers

WORDS = ["<pad>", "<eos>", "<unk>", "red", "blue", "so", "1", "2", "3", "Answer:"]
# The target says little and errs on blue; the guider thinks and errs on red.
TARGET = ["red Answer: 1 <eos>", "blue Answer: 1 <eos>", "blue Answer: 2 <eos>"]
GUIDER = [
    "red so Answer: 1 <eos>",
    "red so Answer: 3 <eos>",
    "blue so Answer: 2 <eos>",
    "blue so Answer: 3 <eos>",
]


def tiny_tokenizer(words: list[str] = WORDS) -> Any:
    vocabulary = {word: number for number, word in enumerate(words)}
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=model, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


def taught(folder: Path, lessons: list[str], words: list[str] = WORDS) -> str:
    """A folder with a model that says what the lessons say, each as likely as the others of its question."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, pad_token_id=0, eos_token_id=1, bos_token_id=1,
    )  # fmt: skip
    model, tokenizer = transformers.LlamaForCausalLM(config), tiny_tokenizer(words)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    ids = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(tokenizer.encode(text)) for text in lessons], batch_first=True, padding_value=0
    )
    labels = ids.masked_fill(ids == 0, -100)
    labels[:, :1] = -100
    for _ in range(60):
        loss = model(input_ids=ids, attention_mask=(ids > 0).long(), labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
