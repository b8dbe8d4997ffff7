"""Registers the embedded model's encoding, so that `tiktoken.get_encoding` finds it by name."""

from adaptive_reasoner.embedded.tokenizer import encoding_arguments

ENCODING_CONSTRUCTORS = {"adaptive_reasoner": encoding_arguments}
