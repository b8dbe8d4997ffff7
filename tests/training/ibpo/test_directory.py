"""IBPO on a tiny Llama made on the spot: it learns to think where thinking pays."""

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
transformers = pytest.importorskip("transformers", reason="training needs the extra `train`")
tokenizers = pytest.importorskip("tokenizers", reason="training needs the extra `train`")
pytest.importorskip("accelerate", reason="training needs the extra `train`")

from adaptive_reasoner.errors import ConfigurationError, InvalidInputError  # noqa: E402
from adaptive_reasoner.training.ibpo.causal_lm import CausalLm, Scored  # noqa: E402
from adaptive_reasoner.training.ibpo.directory import DirectoryConfig, train_directory  # noqa: E402

pytestmark = pytest.mark.train

WORDS = ["<pad>", "<eos>", "<unk>", "<fast>", "<think>", "easy", "hard", "so", "one", "two", "three"]
# Thinking is right on both questions; answering fast is right on the easy one only.
LESSONS = [
    "easy <fast> one <eos>",
    "easy <think> so one <eos>",
    "hard <fast> one <eos>",
    "hard <fast> three <eos>",
    "hard <think> so two <eos>",
]
TAGS = {"fast": "<fast>", "deep": "<think>"}


def tiny_tokenizer() -> Any:
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
    )


def tiny_llama() -> Any:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, pad_token_id=0, eos_token_id=1, bos_token_id=1,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a model that knows both modes, and says nothing sensible before a mode."""
    tokenizer, model = tiny_tokenizer(), tiny_llama()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    ids = torch.nn.utils.rnn.pad_sequence(
        [torch.tensor(tokenizer.encode(text)) for text in LESSONS], batch_first=True, padding_value=0
    )
    labels = ids.masked_fill(ids == 0, -100)
    labels[:, :2] = -100
    for _ in range(60):
        loss = model(input_ids=ids, attention_mask=(ids > 0).long(), labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("taught")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    lines = [{"question": "easy", "answer": "one"}, {"question": "hard", "answer": "so two"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def config(model: Path, tasks: Path, **changes: Any) -> DirectoryConfig:
    settings: dict[str, Any] = {
        "model": model, "tasks": tasks, "directory": tasks.parent / "trained", "rounds": 30, "prompts": 8,
        "fast_samples": 2, "deep_samples": 2, "fast_tokens": 4, "deep_tokens": 5, "learning_rate": 5e-3,
        "free_rounds": 2, "rows": 16,
    }  # fmt: skip
    return DirectoryConfig(**{**settings, **changes})


def think_probability(folder: Path, question: str) -> float:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    policy = CausalLm(model, transformers.AutoTokenizer.from_pretrained(folder), TAGS)
    prompt = policy.prompt(question)
    with torch.no_grad():
        found = [policy.log_probabilities([Scored(prompt, policy.tags[mode], [])])[0] for mode in TAGS]
    return float(torch.softmax(torch.cat(found), 0)[1])


def test_it_learns_to_think_where_thinking_pays(taught: Path, tasks: Path) -> None:
    folder = train_directory(config(taught, tasks))
    assert think_probability(folder, "hard") > 0.8
    assert think_probability(folder, "easy") < 0.2
    rounds = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [entry["round"] for entry in rounds] == list(range(30))
    assert all(entry["chosen_share"] <= 0.5 for entry in rounds)
    assert rounds[-1]["accuracy"] > rounds[0]["fast"]


def test_a_response_scores_what_the_model_gives_its_tokens(taught: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(taught)
    policy = CausalLm(model, transformers.AutoTokenizer.from_pretrained(taught), TAGS)
    row = Scored([5], [3], [8, 1])
    with torch.no_grad():
        logits = model(torch.tensor([[5, 3, 8, 1]])).logits[0].log_softmax(-1)
        padded = policy.log_probabilities([row, Scored([6], [4], [7, 9, 1])])
    assert float(padded[0][0]) == pytest.approx(float(logits[0, 3]), abs=1e-5)
    assert float(padded[1][0]) == pytest.approx(float(logits[1, 8] + logits[2, 1]), abs=1e-5)


def test_drawn_responses_end_with_the_end_token(taught: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(taught)
    policy = CausalLm(model, transformers.AutoTokenizer.from_pretrained(taught), TAGS)
    torch.manual_seed(0)
    drawn = policy.draw([policy.prompt("easy"), policy.prompt("hard")], "deep", 3, 6)
    assert [len(draws) for draws in drawn] == [3, 3]
    assert all(1 not in response[:-1] for draws in drawn for response in draws)
    assert "so one" in {policy.text(response) for response in drawn[0]}


def test_tags_that_the_tokenizer_cannot_tell_apart_are_refused(taught: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(taught)
    with pytest.raises(ConfigurationError, match="the same tokens"):
        CausalLm(None, tokenizer, {"fast": "[quick]", "deep": "[slow]"})


def test_what_cannot_be_trained_is_refused_before_anything_is_written(taught: Path, tasks: Path) -> None:
    with pytest.raises(ConfigurationError, match="must lie between 0 and 1"):
        train_directory(config(taught, tasks, share=1.5))
    with pytest.raises(ConfigurationError, match=r"no config\.json"):
        train_directory(config(tasks.parent / "nowhere", tasks))
    with pytest.raises(InvalidInputError, match="no task file"):
        train_directory(config(taught, tasks.parent / "none.jsonl"))
    assert not (tasks.parent / "trained").exists()
