"""Guidance of a running batch, and vLLM's two interfaces to it, with vLLM's own types where it is installed.

The engine itself needs a GPU and is not started here: what it tells a logits processor is played step by step.
"""

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="guided generation needs the extra `local`")
pytest.importorskip("transformers", reason="guided generation needs the extra `local`")

from tiny_folders import LETTERS, save_folder  # noqa: E402
from tiny_models import tiny_llama  # noqa: E402

from adaptive_reasoner.decoding import ConstantAlpha, WarmupAlpha, combine_logits  # noqa: E402
from adaptive_reasoner.decoding.vllm.guided_rows import GuidedRow, GuidedRows, load_guiders  # noqa: E402
from adaptive_reasoner.decoding.vllm.settings import (  # noqa: E402
    EngineSettings,
    check_request,
    engine_settings,
    request_schedule,
)
from adaptive_reasoner.errors import ConfigurationError  # noqa: E402

pytestmark = pytest.mark.train

EXPERT, BASE = tiny_llama(11), tiny_llama(12)
GUIDERS = {"thinklogit": {"expert": "e", "base": "b", "alpha": 0.5}}


def _expected(logits: Any, row: int, text: list[int], alpha: float) -> Any:
    """The formula, everything computed anew."""
    with torch.no_grad():
        expert, base = (
            model(torch.tensor([text]), use_cache=False).logits[0, -1] for model in (EXPERT, BASE)
        )
    return combine_logits(logits[row], expert, base, alpha)


def _logits(step: int, rows: int) -> Any:
    return torch.randn(rows, 48, generator=torch.Generator().manual_seed(step))


def _assert_guided(found: Any, before: Any, texts: dict[int, list[int]], alpha: float) -> None:
    for row in range(len(before)):
        wanted = _expected(before, row, texts[row], alpha) if row in texts else before[row]
        assert torch.allclose(found[row], wanted, atol=1e-4)


def test_rows_are_guided_as_if_each_were_alone_while_requests_join_and_leave() -> None:
    rows = GuidedRows(EXPERT, BASE)
    batches = [
        {0: [5, 6, 7]},
        {0: [5, 6, 7, 8]},
        {0: [5, 6, 7, 8, 9], 1: [4, 4, 40, 41, 42, 43, 44, 45]},  # a longer one joins
        {0: [5, 6, 7, 8, 9, 3], 1: [4, 4, 40, 41, 42, 43, 44, 45, 46]},
        {0: [4, 4, 40, 41, 42, 43, 44, 45, 46, 47]},  # the first leaves, the second takes its place
        {0: [4, 4, 40, 41, 42, 43, 44, 45, 46, 47, 8], 2: [0, 7]},  # id 0 in a prompt is no padding
    ]
    for step, texts in enumerate(batches):
        before = _logits(step, 3)
        given = [GuidedRow(row, text, 1, ConstantAlpha(0.5)) for row, text in texts.items()]
        _assert_guided(rows.guide(before.clone(), given), before, texts, 0.5)


def test_rows_that_warm_up_are_left_alone() -> None:
    before = _logits(0, 2)
    given = [GuidedRow(0, [5, 6], 3, WarmupAlpha(1.0, 4)), GuidedRow(1, [5, 6], 4, WarmupAlpha(1.0, 4))]
    _assert_guided(GuidedRows(EXPERT, BASE).guide(before.clone(), given), before, {1: [5, 6]}, 1.0)


def test_without_guided_rows_nothing_is_computed() -> None:
    before = _logits(0, 2)
    unasked = tiny_llama(1)
    unasked.register_forward_pre_hook(lambda *_: pytest.fail("a guider was asked"))
    assert GuidedRows(unasked, unasked).guide(before, []) is before


@pytest.mark.parametrize(
    "additional",
    [
        None,
        {},
        {"thinklogit": {}},
        {"thinklogit": {"expert": "e"}},
        {"thinklogit": {**GUIDERS["thinklogit"], "beta": 1}},
    ],
)
def test_engine_settings_must_name_the_guiders(additional: Any) -> None:
    with pytest.raises(ConfigurationError, match="thinklogit"):
        engine_settings(additional)


def test_a_request_may_choose_for_itself() -> None:
    settings = engine_settings(GUIDERS)
    assert settings == EngineSettings("e", "b", 0.5)
    assert request_schedule(settings, None) == ConstantAlpha(0.5)
    assert request_schedule(settings, {"thinklogit_alpha": 0.75}) == ConstantAlpha(0.75)
    assert request_schedule(settings, {"thinklogit_alpha": 0}) is None
    assert request_schedule(settings, {"thinklogit_warmup_tokens": 3}) == WarmupAlpha(0.5, 3)


@pytest.mark.parametrize(
    "extra", [{"thinklogit_alpha": float("nan")}, {"thinklogit_alpha": "1"}, {"thinklogit_warmup_tokens": -1}]
)
def test_a_request_with_wrong_settings_is_a_value_error(extra: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="thinklogit"):
        check_request(extra)


def test_guiders_with_other_tokens_are_refused(tmp_path: Any) -> None:
    from tiny_folders import letter_tokenizer

    folder = save_folder(tmp_path / "other", 1, letters=LETTERS[::-1])
    with pytest.raises(ConfigurationError, match="tokenizer is not the target's"):
        load_guiders(EngineSettings(folder, folder), letter_tokenizer(LETTERS), "cpu")


class TestRunnerV1:
    """With vLLM's own BatchUpdate and SamplingParams."""

    @pytest.fixture
    def processor(self, tmp_path: Any) -> Any:
        pytest.importorskip("vllm.v1.sample.logits_processor.interface", reason="vLLM is not installed")
        from adaptive_reasoner.decoding.vllm.runner_v1 import ThinkLogits

        return ThinkLogits(_config(tmp_path), torch.device("cpu"), False, GuidedRows(EXPERT, BASE))

    def test_the_batch_is_followed(self, processor: Any) -> None:
        from vllm import SamplingParams
        from vllm.v1.sample.logits_processor.interface import BatchUpdate, LogitsProcessor, MoveDirectionality

        assert isinstance(processor, LogitsProcessor)
        assert not processor.is_argmax_invariant()
        plain, guided = SamplingParams(extra_args={"thinklogit_alpha": 0}), SamplingParams()
        answers: list[list[int]] = [[], [], []]
        added = [
            (0, guided, [5, 6], answers[0]),
            (1, plain, [9], answers[1]),
            (2, guided, [7, 8, 9], answers[2]),
        ]
        processor.update_state(BatchUpdate(3, removed=[], added=added, moved=[]))
        self._check(processor, {0: [5, 6], 2: [7, 8, 9]})
        for answer in answers:  # the engine writes into the lists that it gave
            answer.append(4)
        processor.update_state(None)
        self._check(processor, {0: [5, 6, 4], 2: [7, 8, 9, 4]})
        swap = [(0, 1, MoveDirectionality.SWAP)]
        processor.update_state(BatchUpdate(3, removed=[], added=[], moved=swap))
        self._check(processor, {1: [5, 6, 4], 2: [7, 8, 9, 4]})
        gone = [(2, 1, MoveDirectionality.UNIDIRECTIONAL)]
        processor.update_state(BatchUpdate(2, removed=[1], added=[], moved=gone))
        self._check(processor, {1: [7, 8, 9, 4]}, rows=2)

    def test_wrong_parameters_are_refused_at_the_door(self, processor: Any) -> None:
        from vllm import SamplingParams

        with pytest.raises(ValueError, match="thinklogit_alpha"):
            type(processor).validate_params(SamplingParams(extra_args={"thinklogit_alpha": "much"}))

    def test_speculative_decoding_is_refused(self, processor: Any, tmp_path: Any) -> None:
        config = _config(tmp_path)
        config.speculative_config = object()
        with pytest.raises(ConfigurationError, match="speculative"):
            type(processor)(config, torch.device("cpu"), False)

    @staticmethod
    def _check(processor: Any, texts: dict[int, list[int]], rows: int = 3) -> None:
        before = _logits(rows, rows)
        _assert_guided(processor.apply(before.clone()), before, texts, 0.5)


class TestRunnerV2:
    """With vLLM's own interface; the engine's buffers are plain tensors of the same shape."""

    def test_rows_find_their_requests(self, tmp_path: Any) -> None:
        module = "vllm.v1.worker.gpu.sample.logits_processor.interface"
        interface = pytest.importorskip(module, reason="vLLM with the V2 model runner is not installed")
        from vllm import SamplingParams

        from adaptive_reasoner.decoding.vllm.runner_v2 import ThinkLogits

        texts = torch.tensor([[5, 6, 4, 0], [7, 8, 9, 4], [9, 0, 0, 0]])
        states = SimpleNamespace(
            device=torch.device("cpu"),
            all_token_ids=SimpleNamespace(gpu=texts),
            prompt_len=SimpleNamespace(np=torch.tensor([2, 3, 1]).numpy()),
        )
        processor = ThinkLogits(_config(tmp_path), states, GuidedRows(EXPERT, BASE))
        assert isinstance(processor, interface.LogitsProcessor)
        assert processor.add_request(0, SamplingParams())
        assert processor.add_request(1, SamplingParams())
        assert not processor.add_request(2, SamplingParams(extra_args={"thinklogit_alpha": 0}))
        slots, lengths = torch.tensor([1, 2, 0]), torch.tensor([4, 1, 3])
        context = SimpleNamespace(expanded_idx_mapping=slots, pos=lengths - 1)
        before = _logits(1, 3)
        _assert_guided(processor.apply(before.clone(), context), before, {0: [7, 8, 9, 4], 2: [5, 6, 4]}, 0.5)


def _config(tmp_path: Any) -> Any:
    """What the processors read of a VllmConfig, which itself asks for a device."""
    target = save_folder(tmp_path / "target", 1)
    return SimpleNamespace(
        additional_config=GUIDERS, speculative_config=None, model_config=SimpleNamespace(tokenizer=target)
    )
