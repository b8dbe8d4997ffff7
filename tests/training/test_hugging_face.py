"""The embedded model is the same model in Hugging Face's hands."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
transformers = pytest.importorskip("transformers", reason="training needs the extra `train`")

from adaptive_reasoner.embedded.dialogue import render_prompt  # noqa: E402
from adaptive_reasoner.embedded.runtime import Runtime  # noqa: E402
from adaptive_reasoner.embedded.weights import read_weights  # noqa: E402
from adaptive_reasoner.errors import ProfileError  # noqa: E402
from adaptive_reasoner.training.embedded.export import export, load_exported  # noqa: E402
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig  # noqa: E402
from adaptive_reasoner.training.hugging_face import from_hugging_face, to_hugging_face  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=2, heads=2, ff=48, vocab_size=470, context=128)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = Decoder(TINY)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if "norm" in name else 0.0, std=0.15)
    export(model, tmp_path / "embedded", {"seed": 0})
    return tmp_path / "embedded"


def test_its_logits_are_those_of_the_numpy_runtime(exported: Path, tmp_path: Path) -> None:
    to_hugging_face(exported, tmp_path / "qwen3")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "qwen3")
    runtime = Runtime(read_weights(exported))
    ids = render_prompt([("user", "Ann has 5 pens and buys 3 more. How many pens has Ann?")])
    with torch.no_grad():
        theirs = model(torch.tensor([ids])).logits[0, -1, : runtime.shape.vocab_size].numpy()
    ours = runtime.forward(np.array([ids]), runtime.new_cache(1))[0]
    assert np.abs(theirs - ours).max() < 1e-4


def test_the_way_there_and_back_changes_nothing(exported: Path, tmp_path: Path) -> None:
    to_hugging_face(exported, tmp_path / "qwen3")
    from_hugging_face(tmp_path / "qwen3", tmp_path / "back", {"from": "qwen3"})
    before, after = load_exported(exported), load_exported(tmp_path / "back")
    for (name, one), (_, other) in zip(before.named_parameters(), after.named_parameters(), strict=True):
        assert torch.equal(one, other), name
    about = json.loads((tmp_path / "back" / "model.json").read_text())
    assert about["provenance"] == {"from": "qwen3"}
    assert ModelConfig(**{name: about[name] for name in TINY.to_dict()}) == TINY


def test_a_model_that_the_runtime_cannot_run_is_refused(tmp_path: Path) -> None:
    config = transformers.Qwen3Config(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
        intermediate_size=48, vocab_size=470, tie_word_embeddings=False,
    )  # fmt: skip
    transformers.Qwen3ForCausalLM(config).save_pretrained(tmp_path / "shared")
    with pytest.raises(ProfileError, match="shares keys"):
        from_hugging_face(tmp_path / "shared", tmp_path / "back", {})
