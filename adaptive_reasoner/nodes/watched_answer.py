"""The fast model's call under watch, where calibration says when its stream may be cut and thinking may follow."""

from collections.abc import Callable
from dataclasses import replace

from langchain_core.messages import AIMessage

from adaptive_reasoner.gate.early_cut import EarlyCut
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.nodes.best_round import answered_by_deep
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.rounds import round_of, with_round
from adaptive_reasoner.nodes.stream_watch import Watch
from adaptive_reasoner.state import Attempt, ReasoningState
from adaptive_reasoner.uncertainty.score import unknown_signal

Prepare = Callable[[Parts, ReasoningState, CallSettings], tuple[ModelCaller, ModelRequest]]


def watched_request(
    parts: Parts, prepare: Prepare, state: ReasoningState, settings: CallSettings
) -> tuple[ModelCaller, ModelRequest]:
    """The fast model's call as `prepare` gives it, and when its stream is cut.

    It is not watched where the verdict may be another than in calibration (tools, a price of thinking), or where
    nothing could follow a cut.
    """
    caller, request = prepare(parts, state, settings)
    rule = _rule(parts, state, settings, request)
    if rule is None:
        return caller, request

    def may_cut(after_tokens: int) -> bool:
        """The same question that the gate will ask: what is thrown away must be replaced."""
        attempt: Attempt = {
            "node": "fast_answer",
            "usage": caller.usage_of_cut(request, after_tokens),
            "usage_estimated": True,
            "latency_seconds": 0.0,
            "error": None,
            "error_message": None,
            "refused_by": None,
        }
        so_far = with_round(state, round_of(attempt, unknown_signal("cut"), AIMessage("")))
        return parts.purse.ask(so_far, settings, "deep_think").refusal is None

    in_chunks = "logprobs_in_chunks" in type(caller.model).model_fields
    kwargs = {**request.kwargs, **({"logprobs_in_chunks": True} if in_chunks else {})}
    return caller, replace(request, kwargs=kwargs, watch=Watch(rule, may_cut))


def _rule(
    parts: Parts, state: ReasoningState, settings: CallSettings, request: ModelRequest
) -> EarlyCut | None:
    rule = parts.fast_gate.early_cut if isinstance(parts.fast_gate, GateProfile) else None
    is_as_calibrated = parts.config.allocation is None and not request.kwargs.get("tools")
    may_escalate = settings.may_think and not answered_by_deep(state["reasoning"]["rounds"])
    return rule if is_as_calibrated and may_escalate else None
