"""A Llama of a few thousand weights over whole words, and a task whose easy half needs no thought."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptive_reasoner.training.distill.examples import DistillExample, Split, write_examples

NUMBERS = [str(number) for number in range(10)]
WORDS = [
    "<pad>", "<eos>", "<unk>", "<think>", "</think>", "<fast>", "Answer:", "Because:", "copy", "add", "so", "+", "=",
    *NUMBERS,
]  # fmt: skip


def _save_model(folder: Path) -> Path:
    tokenizers = pytest.importorskip("tokenizers", reason="training needs the extra `train`")
    transformers = pytest.importorskip("transformers", reason="training needs the extra `train`")
    torch = pytest.importorskip("torch", reason="training needs the extra `train`")
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, pad_token_id=0, eos_token_id=1, bos_token_id=1,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _copy_of(number: int, split: Split = "train") -> DistillExample:
    """Easy: the answer stands in the question."""
    return DistillExample(
        question=f"copy {number}", answer=str(number), rationale=f"so {number}", order="answer_first",
        verified=True, source="teacher:t", split=split,
    )  # fmt: skip


def _sum_of(left: int, right: int, split: Split = "train") -> DistillExample:
    """Harder, and so it weighs more."""
    total = left + right
    return DistillExample(
        question=f"add {left} {right}", answer=str(total), rationale=f"{left} + {right} = {total}", weight=2.0,
        reasons=("disagreement",), verified=True, source="teacher:t", split=split,
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_model() -> Callable[[Path], Path]:
    """Saves an untaught model and its tokenizer into a folder."""
    return _save_model


@pytest.fixture(scope="session")
def worked() -> dict[str, Any]:
    """Makes the two kinds of examples."""
    return {"copy": _copy_of, "sum": _sum_of}


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every copy and every sum, in both splits."""
    folder = tmp_path_factory.mktemp("data")
    pairs = [(left, right) for left in range(10) for right in range(10 - left)]
    splits: tuple[Split, ...] = ("train", "calibration")
    for split in splits:
        examples = [_copy_of(n, split) for n in range(10)] + [_sum_of(*pair, split) for pair in pairs]
        write_examples(folder / f"{split}.jsonl", examples)
    return folder
