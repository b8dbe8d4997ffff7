"""The THINKLOGIT benchmark's bed: what its models are taught, and that its fast loop writes what `generate` writes."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
transformers = pytest.importorskip("transformers", reason="training needs the extra `train`")

from thinklogit_bed import decoding  # noqa: E402
from thinklogit_bed.answering import Answers, Trio  # noqa: E402
from thinklogit_bed.decoding import (  # noqa: E402
    Alone,
    Banned,
    Ensemble,
    Forced,
    Guided,
    Prefixed,
    Restricted,
    Voice,
    write,
)
from thinklogit_bed.judging import compare_variants, judge  # noqa: E402
from thinklogit_bed.rows import Exam, Row, choose  # noqa: E402
from thinklogit_bed.texts import LATENT, THINKING, draw, prompt_ids, worked  # noqa: E402
from thinklogit_bed.training import Lesson, teach  # noqa: E402

from adaptive_reasoner.decoding import ThinkLogitsProcessor, ThinkOptions  # noqa: E402
from adaptive_reasoner.embedded.problems import generate  # noqa: E402
from adaptive_reasoner.embedded.tokenizer import encoding, special  # noqa: E402
from adaptive_reasoner.training.embedded.export import load_exported  # noqa: E402
from adaptive_reasoner.training.embedded.model import ModelConfig  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=2, heads=2, ff=48)
PROMPTS = [prompt_ids(problem.question) for problem in generate("calibration", 6, seed=4)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three models that learned for a few steps, as Hugging Face folders."""
    folder = tmp_path_factory.mktemp("bed")
    mixes = {"target": LATENT, "expert": THINKING, "base": LATENT}
    for seed, (name, mix) in enumerate(mixes.items()):
        teach(Lesson(folder / name, TINY, mix, steps=25, peak=1.0, seed=seed, problems=8))
    return {name: folder / name for name in mixes}


def voices(folders: dict[str, Path]) -> Any:
    return {name: Voice.reading(load_exported(path / "weights"), PROMPTS) for name, path in folders.items()}


def generated(folders: dict[str, Path], processors: list[Any]) -> list[list[int]]:
    model = transformers.AutoModelForCausalLM.from_pretrained(folders["target"]).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["target"])
    given = tokenizer.pad({"input_ids": PROMPTS}, padding_side="left", return_tensors="pt")
    with torch.no_grad():
        found = model.generate(**given, logits_processor=processors, max_new_tokens=30, do_sample=False)
    answers = [row[given["input_ids"].shape[1] :].tolist() for row in found]
    end = special("<eos>")
    return [row[: row.index(end) + 1] if end in row else row for row in answers]


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_loop_writes_what_generate_writes(
    folders: dict[str, Path], alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_TOKENS", 30)
    expert, base = (transformers.AutoModelForCausalLM.from_pretrained(folders[n]) for n in ("expert", "base"))
    processor = ThinkLogitsProcessor(expert, base, alpha, options=ThinkOptions(repeat_limit=None))
    assert write(voices(folders), Guided(alpha)) == generated(folders, [processor])


def test_the_target_alone_writes_what_it_generates(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_TOKENS", 30)
    read = voices(folders)
    alone = write(read, Alone())
    assert alone == generated(folders, [])
    assert write(read, Ensemble(0.0)) == alone
    assert write(read, Guided(0.0)) == alone
    assert write(read, Prefixed(0)) == alone
    assert write(read, Prefixed(99)) == write(read, Alone("expert"))


def test_the_first_tokens_can_be_forced_and_the_answer_banned(folders: dict[str, Path]) -> None:
    read = voices(folders)
    first = tuple(encoding().encode_ordinary(" a:"))
    assert {tuple(answer[:2]) for answer in write(read, Forced(first))} == {first}
    assert all(answer[0] != decoding.ANSWER for answer in write(read, Banned(1)))
    assert {answer[0] for answer in write(read, Restricted((7, 9)))} <= {7, 9}
    assert write(read, Banned(0)) == write(read, Alone())


def test_latent_examples_answer_at_once_mostly_and_thinking_ones_never() -> None:
    rng = Random(0)
    latent = [draw(rng, LATENT) for _ in range(400)]
    branches = [branch for example in latent for branch in example.branches if len(example.prompt) > 1]
    texts = [encoding().decode(branch.ids[:-1]) for branch in branches]
    share = sum("=" in text for text in texts) / len(texts)
    assert 0.06 < share < 0.14
    assert sum(len(example.prompt) == 1 for example in latent) / 400 == pytest.approx(0.15, abs=0.05)
    thinking = [encoding().decode(b.ids[:-1]) for _ in range(50) for b in draw(rng, THINKING).branches]
    assert all("=" in text for text in thinking)


def test_ragged_solutions_stop_early_and_still_answer_right() -> None:
    problem = next(problem for problem in generate("train", 50, seed=1) if problem.level == 4)
    found = {worked(problem, Random(seed), 1.0) for seed in range(30)}
    assert {text.count("=") for text in found} == {1, 2, 3}
    assert all(text.endswith(f".Answer: {problem.answer}") for text in found)
    assert worked(problem, Random(0), 0.0).count("=") == 4


def test_a_lesson_that_is_whole_is_kept(folders: dict[str, Path]) -> None:
    before = (folders["target"] / "model.safetensors").stat().st_mtime_ns
    teach(Lesson(folders["target"], TINY, LATENT, steps=25, peak=1.0, seed=0, problems=8))
    assert (folders["target"] / "model.safetensors").stat().st_mtime_ns == before


def row(right: list[float]) -> Row:
    values = np.array(right)
    return Row("", {}, Answers(values, values + 4, values))


def test_rows_are_judged_by_the_mean_over_seeds_of_each_problem() -> None:
    rows = {
        "THINKLOGIT": {0: row([1, 1, 0, 1]), 1: row([1, 0, 0, 1])},
        "target": {0: row([1, 0, 0, 0]), 1: row([0, 0, 0, 1])},
        "of one seed": {1: row([0, 0, 0, 0])},
    }
    found = {one["row"]: one for one in judge(rows, np.array([1.0, 1.0, 2.0, 2.0]))}
    guided, target = found["THINKLOGIT"], found["target"]
    assert guided["accuracy"][0] == pytest.approx(0.625)
    assert guided["by_seed"] == [0.75, 0.5]
    assert guided["by_steps"] == {"1": 0.75, "2": 0.5}
    assert guided["thinklogit_lead"] == (0, 0, 0)
    # Problem by problem, ahead by .5, .5, 0 and .5: mean .375, deviation .25.
    mean, low, high = target["thinklogit_lead"]
    assert (mean, high - low) == pytest.approx((0.375, 2 * 1.959964 * 0.25 / 2))
    assert target["lead_by_seed"] == [0.5, 0.25]
    assert target["tokens"] == pytest.approx(4.25)
    assert found["of one seed"]["thinklogit_lead"][0] == 0.5  # against the same seed's THINKLOGIT


def test_variants_are_compared_on_the_seeds_that_both_have() -> None:
    rows = {
        "THINKLOGIT": {0: row([1, 1, 0, 0]), 1: row([1, 0, 0, 1])},
        "THINKLOGIT, dpo-mixed": {0: row([1, 1, 1, 0]), 1: row([1, 0, 1, 1])},
        "THINKLOGIT, dpo-guider": {1: row([0, 0, 0, 1])},
    }
    found = {(one["row"], one["over"]): one for one in compare_variants(rows)}
    over_plain = found["THINKLOGIT, dpo-mixed", "THINKLOGIT"]
    # Ahead by 0, 0, 1 and 0 on both seeds: mean .25, deviation .5.
    mean, low, high = over_plain["lead"]
    assert (mean, high - low) == pytest.approx((0.25, 2 * 1.959964 * 0.5 / 2))
    assert (over_plain["seeds"], over_plain["lead_by_seed"]) == ([0, 1], [0.25, 0.25])
    over_single = found["THINKLOGIT, dpo-mixed", "THINKLOGIT, dpo-guider"]
    assert (over_single["seeds"], over_single["lead"][0]) == ([1], 0.5)
    assert ("THINKLOGIT, dpo-mixed", "THINKLOGIT, sft-mixed") not in found


def test_a_setting_is_chosen_on_the_dev_set(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_TOKENS", 30)
    problems = list(generate("calibration", 8, seed=4))
    exam = Exam(tmp_path, 0, problems[:4], problems)
    trio = Trio(folders["target"], folders["expert"], folders["base"])
    candidates = {"alone": {"": Alone()}, "guided": {"alpha 0": Guided(0.0), "alpha 1": Guided(1.0)}}
    found = choose(exam, trio, candidates, "cell")
    assert found["alone"].dev == {}
    assert set(found["guided"].dev) == {"alpha 0", "alpha 1"}
    assert found["guided"].dev[found["guided"].setting] == max(found["guided"].dev.values())
    assert len(found["guided"].test.right) == 8
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    again = choose(exam, trio, candidates, "cell")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")} == kept
    assert (again["guided"].test.tokens == found["guided"].test.tokens).all()
