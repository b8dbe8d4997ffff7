"""The embedded model's tokenizer in Hugging Face's hands reads the problems as tiktoken does."""

import pytest

pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("transformers", reason="training needs the extra `train`")

from adaptive_reasoner.embedded.dialogue import render_prompt
from adaptive_reasoner.embedded.problems import generate
from adaptive_reasoner.embedded.thoughts import write_thought
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.training.hugging_face_tokenizer import hugging_face_tokenizer

pytestmark = pytest.mark.train


def test_problems_and_thoughts_have_the_same_ids() -> None:
    tokenizer = hugging_face_tokenizer()
    for problem in generate("calibration", 100):
        for text in (problem.question, write_thought(problem).text, f" {problem.question}"):
            ids = encoding().encode_ordinary(text)
            assert tokenizer.encode(text) == ids
            assert tokenizer.decode(ids) == text


def test_the_chat_template_ends_where_the_model_answers() -> None:
    tokenizer = hugging_face_tokenizer()
    turns = [("user", "What is 2 + 2?"), ("assistant", "Answer: 4"), ("user", "What is 4 + 3?")]
    messages = [{"role": role, "content": text} for role, text in turns]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    without_mode = [token for token in render_prompt(turns) if token != special("<fast>")]  # type: ignore[arg-type]
    assert tokenizer.encode(text, add_special_tokens=False) == without_mode


def test_special_tokens_keep_their_ids_and_any_text_survives() -> None:
    tokenizer = hugging_face_tokenizer()
    assert len(tokenizer) == encoding().n_vocab
    assert tokenizer.eos_token_id == special("<eos>")
    assert all(
        tokenizer.convert_tokens_to_ids(name) == special(name) for name in ("<bos>", "<think>", "</think>")
    )
    assert tokenizer.decode(tokenizer.encode("¿Qué? 你好 \t😀")) == "¿Qué? 你好 \t😀"
