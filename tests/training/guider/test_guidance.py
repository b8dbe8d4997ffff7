"""DPO through the guided target: what is drawn, what is scored, and that the guider alone learns."""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
transformers = pytest.importorskip("transformers", reason="training needs the extra `train`")
for needed in ("accelerate", "peft", "trl", "matplotlib"):
    pytest.importorskip(needed, reason="training needs the extra `train`")

from tiny_guiders import GUIDER, TARGET, WORDS, taught  # noqa: E402

from adaptive_reasoner.errors import ConfigurationError  # noqa: E402
from adaptive_reasoner.training.guider.config import GuiderConfig, SamplingConfig  # noqa: E402
from adaptive_reasoner.training.guider.guidance import guided_drawer, move_guided_probabilities  # noqa: E402
from adaptive_reasoner.training.guider.train import train_guider  # noqa: E402

pytestmark = [
    pytest.mark.train,
    # peft and trl speak of their own future.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

ALPHA = 0.3
BASE = ["red Answer: 1 <eos>", "red Answer: 3 <eos>", "blue Answer: 2 <eos>", "blue Answer: 3 <eos>"]


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of a target and its two guiders, of which one thinks."""
    folder = tmp_path_factory.mktemp("trio")
    lessons = {"target": TARGET, "guider": GUIDER, "base": BASE}
    return {name: taught(folder / name, texts) for name, texts in lessons.items()}


def sampling(trio: dict[str, str], folder: Path, **changes: Any) -> SamplingConfig:
    tasks = folder / "tasks.jsonl"
    lines = [{"prompt": "red", "answer": 1}, {"prompt": "blue", "answer": "2"}] * 12
    tasks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings: dict[str, Any] = {
        **trio, "tasks": tasks, "directory": folder / "samples", "samples": 8, "max_tokens": 6, "prompts_a_chunk": 10,
        "alpha": ALPHA,
    }  # fmt: skip
    return SamplingConfig(**{**settings, **changes})


def opened(folder: str) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def guided_logprobs(trio: dict[str, str], guider: str, ids: Any) -> Any:
    """(length, vocabulary) after each of the ids, by the plain formula."""
    with torch.no_grad():
        target, base = (opened(trio[name])(ids).logits[0] for name in ("target", "base"))
        expert = opened(guider)(ids).logits[0]
    return (target + ALPHA * (expert - base)).log_softmax(-1)


def test_answers_are_scored_by_the_formula_and_padding_changes_nothing(
    trio: dict[str, str], tmp_path: Path
) -> None:
    model = opened(trio["guider"])
    trainer = SimpleNamespace(model=SimpleNamespace(get_base_model=lambda: model))
    move_guided_probabilities(trainer, sampling(trio, tmp_path), "cpu")
    ids = torch.tensor([[3, 5, 9, 6, 1], [4, 9, 7, 0, 0]])
    labels = torch.tensor([[-100, 5, 9, 6, 1], [-100, 9, 7, -100, -100]])
    found = model(input_ids=ids, attention_mask=(ids > 0).long(), labels=labels, fused_lm_head=True)
    first, second = (guided_logprobs(trio, trio["guider"], row[None]) for row in (ids[0], ids[1, :3]))
    wanted = [
        [float(first[place, token]) for place, token in enumerate([5, 9, 6, 1])],
        [float(second[0, 9]), float(second[1, 7]), 0.0, 0.0],
    ]
    assert torch.allclose(found.log_probs, torch.tensor(wanted), atol=1e-4)
    assert found.label_mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert found.is_top1[0].tolist() == [
        int(first[i].argmax()) == token for i, token in enumerate([5, 9, 6, 1])
    ]
    entropy = -(first[0].exp() * first[0]).sum()
    assert float(found.entropy[0, 0]) == pytest.approx(float(entropy), abs=1e-4)
    found.log_probs.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())
    # Without the fused head the model is itself: that is how it is generated from, and saved.
    assert torch.allclose(model(input_ids=ids).logits, opened(trio["guider"])(ids).logits)


def test_answers_are_drawn_from_the_guided_target(trio: dict[str, str], tmp_path: Path) -> None:
    torch.manual_seed(0)
    drawer = guided_drawer(sampling(trio, tmp_path), "cpu")
    prompts = [drawer.prompt("red"), drawer.prompt("blue so")]
    drawn = drawer.draw_after(prompts, 3000, 1)
    for prompt, answers in zip(prompts, drawn, strict=True):
        chances = guided_logprobs(trio, trio["guider"], torch.tensor([prompt]))[-1].exp()
        counts = torch.bincount(torch.tensor([answer[0] for answer in answers]), minlength=len(WORDS)) / 3000
        assert torch.allclose(counts, chances, atol=4 * math.sqrt(0.25 / 3000))


def test_the_guider_learns_so_that_the_guided_target_is_right(trio: dict[str, str], tmp_path: Path) -> None:
    before = {name: opened(trio[name]).state_dict() for name in ("target", "base")}
    config = GuiderConfig(
        sampling=sampling(trio, tmp_path), directory=tmp_path / "tuned", sources="guided", policy="guided",
        learning_rate=5e-3, rows=4, epochs=4, rank=8, pairs=120, pairs_a_prompt=8,
    )  # fmt: skip
    folder = train_guider(config)
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["guided", "samples.json"]
    account = json.loads((folder / "guider.json").read_text())
    assert (account["sources"], account["policy"], set(account["right"])) == ("guided", "guided", {"guided"})
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    accuracies = [entry["rewards/accuracies"] for entry in entries if "rewards/accuracies" in entry]
    assert sum(accuracies[-3:]) / 3 > 0.8

    def right(guider: str) -> float:
        drawer = guided_drawer(sampling({**trio, "guider": guider}, tmp_path), "cpu")
        torch.manual_seed(1)
        answers = drawer.draw_after([drawer.prompt("red")], 400, 6)[0]
        return sum(drawer.text(one).split()[-1:] == ["1"] and one[-1] == 1 for one in answers) / 400

    assert right(str(folder)) > right(trio["guider"]) + 0.1
    for name, weights in before.items():
        after = opened(trio[name]).state_dict()
        assert all(torch.equal(weights[key], after[key]) for key in weights)
    with pytest.raises(ConfigurationError, match=r"other policy"):
        train_guider(GuiderConfig(sampling=config.sampling, directory=folder, sources="guided", learning_rate=5e-3,
                                  rows=4, epochs=4, rank=8, pairs=120, pairs_a_prompt=8))  # fmt: skip


def test_other_strengths_of_guidance_do_not_share_samples(trio: dict[str, str], tmp_path: Path) -> None:
    settings: dict[str, Any] = {"sources": "guided", "policy": "guided", "rows": 4, "rank": 8, "pairs": 8}
    train_guider(GuiderConfig(sampling=sampling(trio, tmp_path), directory=tmp_path / "one", **settings))
    other = sampling(trio, tmp_path, alpha=1.0)
    with pytest.raises(ConfigurationError, match=r"samples of another run \(other alpha\)"):
        train_guider(GuiderConfig(sampling=other, directory=tmp_path / "two", **settings))


def test_what_guidance_lacks_is_named_before_anything_is_written(
    trio: dict[str, str], tmp_path: Path
) -> None:
    for settings in ({"sources": "guided"}, {"policy": "guided"}):
        with pytest.raises(ConfigurationError, match="need all three models"):
            GuiderConfig(sampling=sampling(trio, tmp_path, base=None), directory=tmp_path / "out", **settings)
    with pytest.raises(ConfigurationError, match='for the objective "dpo"'):
        GuiderConfig(
            sampling=sampling(trio, tmp_path), directory=tmp_path / "out", objective="sft", policy="guided"
        )
    other = taught(tmp_path / "other", BASE, [*WORDS[:6], "3", "2", "1", "Answer:"])
    config = GuiderConfig(
        sampling=sampling(trio, tmp_path, base=other), directory=tmp_path / "out", sources="guided"
    )
    with pytest.raises(ConfigurationError, match="The base's tokenizer is not the target's"):
        train_guider(config)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "tasks.jsonl"]
