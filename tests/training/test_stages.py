"""The optimizer, the schedule, and runs that stop and go on."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from adaptive_reasoner.training.embedded.config import StageConfig, TrainConfig  # noqa: E402
from adaptive_reasoner.training.embedded.examples import MixtureConfig  # noqa: E402
from adaptive_reasoner.training.embedded.export import load_exported  # noqa: E402
from adaptive_reasoner.training.embedded.model import ModelConfig  # noqa: E402
from adaptive_reasoner.training.embedded.muon import Muon, orthogonalise  # noqa: E402
from adaptive_reasoner.training.embedded.schedule import progress, relative_rate  # noqa: E402
from adaptive_reasoner.training.embedded.stage import StageRun  # noqa: E402
from adaptive_reasoner.training.embedded.train import open_stream, train  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=2, heads=2, ff=48, vocab_size=470)
MIXTURE = MixtureConfig(problems_per_batch=2, batches_per_pool=4)


def tiny_config(directory: Path, steps: int = 20, **changes) -> TrainConfig:
    stage = StageConfig("base", minutes=1, steps=steps, warmup_steps=5, mixture=MIXTURE)
    settings = {
        "processes": 1,
        "model": TINY,
        "stages": (stage,),
        "compile": False,
        "evaluated": (("fast", 8),),
        **changes,
    }
    return TrainConfig(directory, **settings)


def test_orthogonalising_brings_singular_values_near_one():
    torch.manual_seed(0)
    for shape in ((3, 12, 48), (2, 48, 12)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(*shape)).float())
        assert float(values.min()) > 0.3
        assert float(values.max()) < 1.4


def test_matrices_stored_together_are_orthogonalised_one_by_one():
    torch.manual_seed(0)
    both = torch.zeros(16, 8, requires_grad=True)
    both.grad = torch.randn(16, 8)
    alone = torch.zeros(8, 8, requires_grad=True)
    alone.grad = both.grad[8:].clone()
    Muon([(both, 2)]).step(0.1)
    Muon([(alone, 1)]).step(0.1)
    torch.testing.assert_close(both[8:], alone)


def test_the_rate_warms_up_stays_and_falls_to_its_end():
    stage = StageConfig("x", minutes=10, peak=0.5, decay_from=0.6, final=0.1, warmup_steps=4)
    assert relative_rate(stage, 0, 0.0) == pytest.approx(0.125)
    assert relative_rate(stage, 100, 0.6) == pytest.approx(0.5)
    assert relative_rate(stage, 100, 0.8) == pytest.approx(0.5 * 0.55)
    assert relative_rate(stage, 100, 1.0) == pytest.approx(0.05)


def test_progress_follows_the_steps_or_the_clock():
    assert progress(StageConfig("x", minutes=10, steps=40), step=10, seconds=9e9) == 0.25
    assert progress(StageConfig("x", minutes=10), step=10, seconds=150) == 0.25
    assert progress(StageConfig("x", minutes=10), step=10, seconds=9000) == 1.0


def test_a_run_that_was_killed_goes_on_to_identical_weights(tmp_path: Path):
    whole = load_exported(train(tiny_config(tmp_path / "whole")))

    class KilledError(Exception):
        pass

    def kill_after_seven(run: StageRun) -> None:
        if run.tally.step == 7:
            raise KilledError

    broken = tiny_config(tmp_path / "broken", checkpoint_minutes=0.0)
    broken.directory.mkdir()
    from adaptive_reasoner.training.embedded.model import Decoder

    torch.manual_seed(broken.seed)
    model = Decoder(TINY)
    with pytest.raises(KilledError):
        StageRun(broken, broken.stages[0], model, open_stream(broken, broken.stages[0], model, 0)).run(
            kill_after_seven
        )
    resumed = load_exported(train(tiny_config(tmp_path / "broken")))
    for name, parameter in whole.named_parameters():
        assert torch.equal(parameter, resumed.get_parameter(name)), name


def test_a_run_leaves_weights_log_and_curves(tmp_path: Path):
    refine = StageConfig(
        "refine", minutes=1, steps=20, mixture=MixtureConfig(refine=0.5, problems_per_batch=2), collect=8
    )
    config = tiny_config(tmp_path / "run", weights=tmp_path / "weights")
    folder = train(
        tiny_config(tmp_path / "run", weights=tmp_path / "weights", stages=(*config.stages, refine))
    )
    assert folder == tmp_path / "weights"
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert about["d_model"] == 32
    assert {stage: done["steps"] for stage, done in about["provenance"]["stages"].items()} == {
        "base": 20,
        "refine": 20,
    }
    with np.load(folder / "model.npz", allow_pickle=False) as arrays:
        assert arrays["blocks.1.qkv"].shape == (96, 32)
        assert arrays["blocks.1.gate_up"].shape == (96, 32)
        assert all(arrays[name].dtype == np.float16 for name in arrays.files)
    entries = [
        json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert {entry["stage"] for entry in entries} == {"base", "refine"}
    assert (tmp_path / "run" / "curves.png").stat().st_size > 1000


def test_the_seed_decides_the_weights(tmp_path: Path):
    first = load_exported(train(tiny_config(tmp_path / "a", steps=2)))
    second = load_exported(train(tiny_config(tmp_path / "b", steps=2)))
    other = load_exported(train(tiny_config(tmp_path / "c", steps=2, seed=1)))
    assert torch.equal(first.embed.weight, second.embed.weight)
    assert not torch.equal(first.embed.weight, other.embed.weight)
