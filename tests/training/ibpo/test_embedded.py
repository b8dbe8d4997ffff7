"""IBPO on the embedded model, at the size of a test."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("scipy", reason="the program needs SciPy")

from adaptive_reasoner.embedded.tokenizer import special  # noqa: E402
from adaptive_reasoner.errors import ConfigurationError  # noqa: E402
from adaptive_reasoner.training.embedded.examples import Example, MixtureConfig  # noqa: E402
from adaptive_reasoner.training.embedded.export import export, load_exported  # noqa: E402
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig  # noqa: E402
from adaptive_reasoner.training.ibpo.config import IbpoConfig  # noqa: E402
from adaptive_reasoner.training.ibpo.embedded import EmbeddedRun, train_embedded  # noqa: E402
from adaptive_reasoner.training.ibpo.mode_rows import fit_mode_rows  # noqa: E402
from adaptive_reasoner.training.ibpo.sampling import sample_round  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=1, heads=2, ff=48, vocab_size=470)


@pytest.fixture
def config(tmp_path: Path) -> IbpoConfig:
    torch.manual_seed(0)
    model = Decoder(TINY)
    for name, parameter in model.named_parameters():
        if "norm" not in name:
            torch.nn.init.normal_(parameter, std=0.1)
    export(model, tmp_path / "start", {"made": "at random"})
    return IbpoConfig(
        directory=tmp_path / "run",
        weights=tmp_path / "start",
        processes=1,
        steps=4,
        round_every=2,
        prompts=3,
        row_problems=24,
        checkpoint_steps=2,
        collect=8,
        rehearsal=MixtureConfig(problems_per_batch=2, batches_per_pool=2, refine=0.5),
        compile=False,
    )


def weights_of(folder: Path) -> list[Any]:
    return list(load_exported(folder).parameters())


class KilledRun(EmbeddedRun):
    """Stops as if killed in the middle of the second round."""

    def _learn(self, responses: list[Example]) -> tuple[float, float]:
        if self.step == 3:
            raise KeyboardInterrupt
        return super()._learn(responses)


def test_a_run_leaves_weights_their_origin_and_a_log(config: IbpoConfig) -> None:
    folder = train_embedded(config)
    about = json.loads((folder / "model.json").read_text())
    assert about["provenance"]["share"] == 0.5
    assert about["provenance"]["steps"] == 4
    assert about["provenance"]["started_from"] == {"made": "at random"}
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    rounds = [entry for entry in entries if "round" in entry]
    assert [entry["step"] for entry in rounds] == [0, 2]
    assert all(0 <= entry["share"] <= 1 and 0 < entry["price"] < 1 for entry in rounds)


def test_a_killed_run_goes_on_to_the_same_weights(config: IbpoConfig, tmp_path: Path) -> None:
    train_embedded(config)
    again = replace(config, directory=tmp_path / "killed")
    again.directory.mkdir()
    with pytest.raises(KeyboardInterrupt):
        KilledRun(again).run()
    train_embedded(again)
    for one, other in zip(weights_of(config.directory), weights_of(again.directory), strict=True):
        assert torch.equal(one, other)


def test_the_control_keeps_the_neutral_price(config: IbpoConfig) -> None:
    run = EmbeddedRun(_made(replace(config, share=None)))
    run.run()
    assert run.price.value == 0.5


def _made(config: IbpoConfig) -> IbpoConfig:
    config.directory.mkdir()
    return config


def test_a_round_is_a_function_of_seed_and_number(config: IbpoConfig) -> None:
    model = load_exported(config.weights or Path())
    one, other = sample_round(config, model, 1), sample_round(config, model, 1)
    assert [example.prompt for example in one.examples] == [example.prompt for example in other.examples]
    assert one.think_logits.tolist() == other.think_logits.tolist()
    assert sample_round(config, model, 2).examples[0].prompt != one.examples[0].prompt
    assert one.rewards.fast.shape == (3, 2)
    assert one.rewards.deep.shape == (3, 1)


def test_fitting_the_mode_tokens_changes_their_rows_only(config: IbpoConfig) -> None:
    before, model = load_exported(config.weights or Path()), load_exported(config.weights or Path())
    loss = fit_mode_rows(model, 48, seed=0)
    changed = (model.head.weight != before.head.weight).any(dim=1).nonzero().flatten().tolist()
    assert changed == sorted([special("<fast>"), special("<think>")])
    rest = zip(model.named_parameters(), before.named_parameters(), strict=True)
    assert all(torch.equal(p, q) for (name, p), (_, q) in rest if name != "head.weight")
    assert loss < 1.0  # a random model that says neither starts near log 470


def test_a_share_outside_its_range_is_refused_before_anything_is_written(config: IbpoConfig) -> None:
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        train_embedded(replace(config, share=50.0))
    assert not config.directory.exists()
