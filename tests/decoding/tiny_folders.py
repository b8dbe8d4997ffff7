"""Random tiny Llamas saved as model folders, with a tokenizer of single letters."""

from pathlib import Path
from typing import Any

from tiny_models import BOS, EOS, PAD, tiny_llama

LETTERS = [chr(code) for code in range(32, 127)] + ["é"]
MARKS = ["<pad>", "<bos>", "<eos>", "<think>", "</think>"]
TEMPLATE = (
    "{% for message in messages %}{{ message['role'][0] }}:{{ message['content'] }};{% endfor %}"
    "{% if enable_thinking %}T{% else %}F{% endif %}"
)


def letter_tokenizer(letters: list[str], template: str | None = TEMPLATE) -> Any:
    """One token a letter, ids in the order given, after the marks."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {name: index for index, name in enumerate([*MARKS, *letters])}
    whole: Any = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    whole.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    whole.decoder = decoders.Fuse()
    whole.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in MARKS])
    wrapped: Any = PreTrainedTokenizerFast
    tokenizer = wrapped(tokenizer_object=whole, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>")
    tokenizer.chat_template = template
    return tokenizer


def save_folder(
    folder: Path,
    seed: int,
    letters: list[str] | None = None,
    template: str | None = TEMPLATE,
    context: int = 128,
) -> str:
    """A folder that `from_pretrained` takes; returns its path."""
    tokenizer = letter_tokenizer(letters or LETTERS, template)
    model = tiny_llama(seed, vocab_size=len(tokenizer), context=context)
    assert tuple(tokenizer.convert_tokens_to_ids(MARKS[:3])) == (PAD, BOS, EOS)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
