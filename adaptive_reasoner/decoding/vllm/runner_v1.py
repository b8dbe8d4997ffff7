"""The logits processor of vLLM's V1 model runner (`VLLM_USE_V2_MODEL_RUNNER=0`)."""

# vLLM pins its own torch, so that it is not installed where types are checked.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUntypedBaseClass=false, reportMissingImports=false

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vllm.v1.sample.logits_processor.interface import BatchUpdate, LogitsProcessor, MoveDirectionality

from adaptive_reasoner.decoding.schedules import AlphaSchedule
from adaptive_reasoner.decoding.vllm.guided_rows import GuidedRow, GuidedRows, load_guiders
from adaptive_reasoner.decoding.vllm.settings import check_request, engine_settings, request_schedule
from adaptive_reasoner.decoding.vllm.target import target_tokenizer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class _Request:
    """A request's text: the engine goes on writing into `answer`."""

    prompt: list[int]
    answer: list[int]
    schedule: AlphaSchedule | None


class ThinkLogits(LogitsProcessor):
    """Adds alpha (z_expert - z_base) to the rows of requests that want it; see the package's docstring.

    Args:
        vllm_config: names the target, its tokenizer and, under `additional_config`, the guiders.
        device: where the guiders live, too.
        is_pin_memory: not used.
        rows: the guiders, where they are loaded already.
    """

    def __init__(
        self,
        vllm_config: Any,
        device: Any,
        is_pin_memory: bool,  # noqa: ARG002 - vLLM gives three
        rows: GuidedRows | None = None,
    ) -> None:
        self._settings = engine_settings(vllm_config.additional_config)
        self._rows = rows or load_guiders(self._settings, target_tokenizer(vllm_config), str(device))
        self._requests: dict[int, _Request] = {}

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:
        """Refuses wrong strengths; see `check_request`."""
        check_request(sampling_params.extra_args)

    def is_argmax_invariant(self) -> bool:
        """No: guidance changes what greedy decoding writes."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follows the batch: removed, then added, then moved, as vLLM asks."""
        if batch_update is None:
            return
        for index in batch_update.removed:
            self._requests.pop(index, None)
        for index, params, prompt, answer in batch_update.added:
            schedule = request_schedule(self._settings, params.extra_args)
            self._requests[index] = _Request(list(prompt or ()), answer, schedule)
        for start, end, direction in batch_update.moved:
            self._move(start, end, swaps=direction == MoveDirectionality.SWAP)

    def apply(self, logits: "Tensor") -> "Tensor":
        """Guides (requests, V) logits."""
        rows = [
            GuidedRow(index, request.prompt + request.answer, len(request.answer), request.schedule)
            for index, request in sorted(self._requests.items())
            if request.schedule is not None and (request.prompt or request.answer)
        ]
        return self._rows.guide(logits, rows)

    def _move(self, start: int, end: int, *, swaps: bool) -> None:
        moved, displaced = self._requests.pop(start, None), self._requests.pop(end, None)
        if moved is not None:
            self._requests[end] = moved
        if swaps and displaced is not None:
            self._requests[start] = displaced
