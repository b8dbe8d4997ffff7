"""The embedded model's tokenizer as a Hugging Face tokenizer: the same pieces, the same ids."""

from typing import Any

from adaptive_reasoner.embedded.tokenizer import PATTERN, encoding_arguments

CHAT_TEMPLATE = (
    "<bos>{% for message in messages %}"
    "{% if message['role'] == 'user' %}<user> {{ message['content'] | trim }}"
    "{% else %}<assistant>{{ message['content'] | trim }}<eos>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
PAD = "<spare_0>"


def hugging_face_tokenizer() -> Any:
    """A `PreTrainedTokenizerFast` with a chat template that ends where the model answers, before any mode token.

    Pieces that the word list lacks fall to bytes. tiktoken would join some of these bytes again; text of the
    generated problems has no such pieces.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    arguments = encoding_arguments()
    pieces: dict[bytes, int] = arguments["mergeable_ranks"]
    specials: dict[str, int] = arguments["special_tokens"]
    vocabulary = {_shown(piece): rank for piece, rank in pieces.items()}
    whole: Any = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    split: Any = pre_tokenizers.Split(Regex(PATTERN), "isolated")
    as_bytes: Any = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    whole.pre_tokenizer = pre_tokenizers.Sequence([split, as_bytes])
    whole.decoder = decoders.ByteLevel()
    # In the order of their ids: each addition takes the next one.
    ordered = sorted(specials, key=specials.__getitem__)
    whole.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in ordered])
    wrapped: Any = PreTrainedTokenizerFast
    named = dict(zip(("bos_token", "eos_token", "pad_token"), ("<bos>", "<eos>", PAD), strict=True))
    tokenizer = wrapped(tokenizer_object=whole, **named)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _shown(piece: bytes) -> str:
    """A piece in the printable letters by which byte-level tokenizers write bytes (GPT-2's table)."""
    return "".join(_letter(byte) for byte in piece)


def _letter(byte: int) -> str:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    if byte in printable:
        return chr(byte)
    return chr(256 + [one for one in range(256) if one not in printable].index(byte))
