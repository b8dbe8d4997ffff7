"""The logits processor of vLLM's V2 model runner."""

# vLLM pins its own torch, so that it is not installed where types are checked.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUntypedBaseClass=false, reportMissingImports=false

from typing import TYPE_CHECKING, Any

from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsProcessor

from adaptive_reasoner.decoding.schedules import AlphaSchedule
from adaptive_reasoner.decoding.vllm.guided_rows import GuidedRow, GuidedRows, load_guiders
from adaptive_reasoner.decoding.vllm.settings import check_request, engine_settings, request_schedule
from adaptive_reasoner.decoding.vllm.target import target_tokenizer

if TYPE_CHECKING:
    from torch import Tensor
    from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsContext


class ThinkLogits(LogitsProcessor):
    """Adds alpha (z_expert - z_base) to the rows of requests that want it; see the package's docstring.

    With speculative decoding a request has a row for each draft token, whose text is not in the request's state:
    such batches are refused when the engine starts.

    Args:
        vllm_config: names the target, its tokenizer and, under `additional_config`, the guiders.
        req_states: the engine's token ids, read at every step.
        rows: the guiders, where they are loaded already.

    Raises:
        ConfigurationError: speculative decoding is on; the guiders cannot be used.
    """

    def __init__(self, vllm_config: Any, req_states: Any, rows: GuidedRows | None = None) -> None:
        super().__init__(vllm_config, req_states)
        self._settings = engine_settings(vllm_config.additional_config)
        tokenizer = target_tokenizer(vllm_config)
        self._rows = rows or load_guiders(self._settings, tokenizer, str(req_states.device))
        self._states = req_states
        self._schedules: dict[int, AlphaSchedule] = {}

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuses wrong strengths; see `check_request`."""
        check_request(sampling_params.extra_args)

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:
        """Takes a slot over from whoever had it; False where the request is not guided."""
        schedule = request_schedule(self._settings, sampling_params.extra_args)
        self._schedules.pop(req_idx, None)
        if schedule is not None:
            self._schedules[req_idx] = schedule
        return schedule is not None

    def apply(self, logits: "Tensor", ctx: "LogitsContext") -> "Tensor":
        """Guides (rows, V) logits, whose rows come in another order at every step."""
        lengths = (ctx.pos + 1).tolist()
        slots = ctx.expanded_idx_mapping.tolist()
        rows = [
            self._row(row, slot, length)
            for row, (slot, length) in enumerate(zip(slots, lengths, strict=True))
            if slot in self._schedules
        ]
        return self._rows.guide(logits, rows)

    def _row(self, row: int, slot: int, length: int) -> GuidedRow:
        text = self._states.all_token_ids.gpu[slot, :length].tolist()
        generated = length - int(self._states.prompt_len.np[slot])
        return GuidedRow(row, text, generated, self._schedules[slot])
