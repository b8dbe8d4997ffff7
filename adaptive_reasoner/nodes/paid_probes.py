"""Triage's own model call, where its estimator asks a model: paid like any other, and never streamed."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.constants import TAG_NOSTREAM

from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest, Outcome
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.purse import Asked
from adaptive_reasoner.nodes.till import Till, Wish
from adaptive_reasoner.state import DifficultyEstimator, ReasoningState, Triage
from adaptive_reasoner.triage import AsksModel
from adaptive_reasoner.triage.router import DEFAULT_THINK_AT_GAIN


class PaidProbes:
    """Makes estimators that ask a model ask it through the till."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._till = Till(parts.purse)

    def of(
        self, estimator: AsksModel, state: ReasoningState, settings: CallSettings, config: RunnableConfig
    ) -> DifficultyEstimator:
        """The estimator for one run, whose call the run's budgets are asked about and which counts in them."""
        return _PaidProbe(self, estimator, state, settings, config)

    def call(self, estimator: AsksModel, run: "_PaidProbe", messages: Sequence[BaseMessage]) -> Outcome:
        """Make the call if the budgets allow it."""
        probe = estimator.probe(messages)
        caller = self._caller_of(probe.model)
        request = ModelRequest(probe.messages, probe.kwargs)
        asked = Asked(run.state, run.settings, "fast_answer", request, probe.model, probe.max_output_tokens)
        unstreamed: RunnableConfig = {
            **run.config, "tags": [*(run.config.get("tags") or []), TAG_NOSTREAM],
        }  # fmt: skip
        return self._till.call(Wish(asked, caller, request), unstreamed)

    def _caller_of(self, model: BaseChatModel) -> ModelCaller:
        if model is self._parts.fast.model:
            return self._parts.fast
        price = self._parts.purse.price_of(model)
        return ModelCaller(model, self._parts.config.model_timeout_seconds, price=price)


@dataclass(frozen=True, slots=True)
class _PaidProbe:
    """One run's estimator."""

    probes: PaidProbes
    estimator: AsksModel
    state: ReasoningState
    settings: CallSettings
    config: RunnableConfig

    @property
    def think_at_gain(self) -> float | None:
        """The estimator's own bound."""
        return getattr(self.estimator, "think_at_gain", DEFAULT_THINK_AT_GAIN)

    def estimate(self, messages: Sequence[BaseMessage]) -> Triage:
        """Ask within the budgets; what the call took is part of the estimate."""
        outcome = self.probes.call(self.estimator, self, messages)
        triage = self.estimator.read(None if outcome.error else outcome.message)
        if outcome.refused_by:
            return {**triage, "reason": f"{triage['reason']} ({outcome.refused_by})"}
        return {**triage, "usage": outcome.usage, "latency_seconds": outcome.latency_seconds}
