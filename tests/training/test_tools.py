"""The tool mode's rows, its low-rank change, and runs that stop and go on."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from adaptive_reasoner.embedded.problems import generate, split_of  # noqa: E402
from adaptive_reasoner.embedded.runtime import Runtime  # noqa: E402
from adaptive_reasoner.embedded.tokenizer import encoding, special  # noqa: E402
from adaptive_reasoner.embedded.tool_format import newly_written  # noqa: E402
from adaptive_reasoner.embedded.tool_weights import about_change, merge, read_change  # noqa: E402
from adaptive_reasoner.embedded.weights import fold_weights, read_arrays  # noqa: E402
from adaptive_reasoner.training.embedded.export import export, load_exported  # noqa: E402
from adaptive_reasoner.training.embedded.model import Decoder, ModelConfig  # noqa: E402
from adaptive_reasoner.training.embedded.tool_adapter import (  # noqa: E402
    ToolAdapter,
    read_prefix,
    read_suffix,
)
from adaptive_reasoner.training.embedded.tool_batches import ToolStream, collate  # noqa: E402
from adaptive_reasoner.training.embedded.tool_examples import (  # noqa: E402
    ToolMixture,
    draw_tool_row,
    problem_row,
    tool_row,
)
from adaptive_reasoner.training.embedded.tool_stage import ToolConfig, ToolRun, loss_of  # noqa: E402
from adaptive_reasoner.training.embedded.tools import train_tools  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=2, heads=2, ff=48, vocab_size=470)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with a tiny model of random weights."""
    torch.manual_seed(1)
    model = Decoder(TINY)
    for name, parameter in model.named_parameters():
        if name.endswith(("out.weight", "down.weight")):
            torch.nn.init.normal_(parameter, std=0.2)
    export(model, tmp_path / "base", {})
    return tmp_path / "base"


def tiny_config(base: Path, **changes) -> ToolConfig:
    settings = {"processes": 1, "rank": 4, "rows": 4, "steps": 6, "evaluated": 6, **changes}
    return ToolConfig(base.parent / "run", base, **settings)


def test_a_row_is_a_call_and_the_answer_from_its_result():
    row = tool_row([1, 2], "7 * 14", "98")
    assert encoding().decode(row.suffix) == "<spare_0> 7 * 14<eos><spare_1> 98<fast>Answer: 98<eos>"
    learned = [token for token, weight in zip(row.suffix, row.weights, strict=True) if weight]
    assert encoding().decode(learned) == " 7 * 14<eos>Answer: 98<eos>"


def test_rows_are_of_the_training_split_and_of_every_kind():
    rng = Random(0)
    rows = [draw_tool_row(rng, ToolMixture()) for _ in range(400)]
    texts = [encoding().decode(row.prefix) for row in rows]
    written = [encoding().decode(row.suffix) for row in rows]
    assert any(text.endswith("</think>") for text in texts)
    assert any(text == "<spare_0><eos>" for text in written)
    assert any("*" in text and len(text.split("<spare_1>")[0]) > 30 for text in written)
    alone = [text.removeprefix("<bos><user> ").removesuffix("<assistant>") for text in texts]
    questions = [text for text in alone if text.count("?") + text.count(".") and "<" not in text]
    known = {problem.question for problem in generate("test", 50)}
    assert not known.intersection(questions)
    assert sum(split_of(text) == "train" for text in questions) >= 0.9 * len(questions)


def test_an_untrained_change_changes_nothing_but_the_marks(base: Path):
    model = load_exported(base)
    adapter = ToolAdapter(model, 4)
    for name, matrix in adapter.merged(model).items():
        torch.testing.assert_close(matrix, model.get_parameter(f"{name}.weight"))


def test_padding_makes_no_difference(base: Path):
    model, rows = load_exported(base), [problem_row(problem) for problem in generate("calibration", 5)]
    adapter = ToolAdapter(model, 4)
    together = collate(rows)
    past = read_prefix(model, together.prefix, together.padding)
    hidden = read_suffix(model, adapter, together.suffix, together.padding, past)
    for index, row in enumerate(rows):
        one = collate([row])
        alone = read_suffix(
            model, adapter, one.suffix, one.padding, read_prefix(model, one.prefix, one.padding)
        )
        size = len(row.suffix)
        torch.testing.assert_close(hidden[index, :size], alone[0, :size], atol=1e-4, rtol=1e-4)


def test_the_loss_falls_and_the_base_stays(base: Path):
    before = (base / "model.npz").read_bytes()
    config = tiny_config(base, steps=30, rate=2e-2)
    run = ToolRun(config, load_exported(base), ToolStream("0", config.mixture, 16))
    batch = collate([problem_row(problem) for problem in generate("calibration", 16)])
    first = loss_of(run.base, run.adapter, batch).item()
    run.config.directory.mkdir()
    run.run(list(generate("calibration", 4)))
    assert loss_of(run.base, run.adapter, batch).item() < first
    assert all(parameter.grad is None for parameter in run.base.parameters())
    assert (base / "model.npz").read_bytes() == before


def test_the_runtime_computes_what_was_trained(base: Path):
    folder = train_tools(tiny_config(base, rate=5e-2))
    model, change = load_exported(base), read_change(folder)
    adapter = ToolAdapter(model, 4)
    adapter.load_change(change)
    arrays, shape = read_arrays(base)
    tools = Runtime(fold_weights(merge(arrays, change), shape))
    shipped = Runtime(fold_weights(arrays, shape))
    row = problem_row(next(iter(generate("calibration", 1))))
    cache = shipped.new_cache(1)
    shipped.forward(np.array([row.prefix]), cache)
    found = tools.forward(np.array([row.suffix]), cache)[0]
    one = collate([row])
    past = read_prefix(model, one.prefix, one.padding)
    with torch.no_grad():
        hidden = read_suffix(model, adapter, one.suffix, one.padding, past)[0, len(row.suffix) - 1]
        expected = adapter.head(model)[: shape.vocab_size] @ hidden
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-2)
    changed = np.abs(change["written"] - arrays["head"][newly_written()]).max()
    assert changed > 0


def test_a_run_goes_on_where_it_stopped_and_tells_how_it_came_about(base: Path):
    folder = train_tools(tiny_config(base))
    assert about_change(folder)["provenance"]["steps"] == 6
    train_tools(tiny_config(base, steps=9))
    about = about_change(folder)
    assert about["provenance"]["steps"] == 9
    assert about["base"] == about["provenance"]["base"]


def test_a_run_may_begin_with_an_earlier_change(base: Path):
    folder = train_tools(tiny_config(base))
    moved = folder.rename(base.parent / "first")
    config = tiny_config(base, start=moved)
    run = ToolRun(config, load_exported(base), ToolStream("0", config.mixture, 4))
    assert torch.equal(run.adapter.marks, torch.tensor(read_change(moved)["marks"], dtype=torch.float32))
    train_tools(config)
    assert about_change(config.directory)["provenance"]["started_from"]["steps"] == 6
    assert special("<spare_0>") == run.adapter.mark_ids[0]
