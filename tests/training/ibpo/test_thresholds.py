"""Thresholds keep their share."""

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from adaptive_reasoner.embedded.weights import ModelShape, read_weights
from adaptive_reasoner.training.ibpo.thresholds import find_thresholds, write_thresholds


def test_a_threshold_is_the_probability_that_the_share_reaches() -> None:
    logits = np.log([0.2, 0.4, 0.6, 0.8, 0.9]) - np.log([0.8, 0.6, 0.4, 0.2, 0.1])
    assert find_thresholds(logits, (25, 50, 75)) == pytest.approx({"25": 0.8, "50": 0.6, "75": 0.4})


def test_extreme_logits_stay_probabilities() -> None:
    assert find_thresholds(np.array([-1e4, 1e4]), (50,)) == {"50": 0.5}


def test_they_are_read_back_with_the_weights(tmp_path: Path) -> None:
    shape = ModelShape(d_model=32, layers=1, heads=2, ff=48, vocab_size=470, context=512, rope_theta=1e4)
    rng = np.random.default_rng(0)
    sizes = {
        "embed": (470, 32), "head": (470, 32), "final_norm": (32,), "blocks.0.attention_norm": (32,),
        "blocks.0.qkv": (96, 32), "blocks.0.q_norm": (16,), "blocks.0.k_norm": (16,), "blocks.0.out": (32, 32),
        "blocks.0.mlp_norm": (32,), "blocks.0.gate_up": (96, 32), "blocks.0.down": (32, 48),
    }  # fmt: skip
    np.savez(
        tmp_path / "model.npz", **{n: rng.standard_normal(s).astype(np.float16) for n, s in sizes.items()}
    )
    (tmp_path / "model.json").write_text(json.dumps({**asdict(shape), "provenance": {"seed": 0}}))
    before = read_weights(tmp_path)
    thresholds = write_thresholds(tmp_path, count=200, seed=1)
    after = read_weights(tmp_path)
    assert before.think_thresholds == {}
    assert after.think_thresholds == {int(share): value for share, value in thresholds.items()}
    assert thresholds["25"] >= thresholds["50"] >= thresholds["75"]
    assert after.fingerprint == before.fingerprint
    about = json.loads((tmp_path / "model.json").read_text())
    assert about["provenance"] == {"seed": 0}
    assert about["auto"]["n"] == 200
    assert all(math.isfinite(value) for value in thresholds.values())
