"""What fast_answer, deep_think and refine share: ask the budget, call the model, keep the attempt for the gate.

Each node only says what to send (`Prepare`); sync and async differ in the one line that waits for the model.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.errors import BudgetExhaustedError
from adaptive_reasoner.nodes.call_settings import CallSettings, read_call_settings
from adaptive_reasoner.nodes.model_call import (
    ModelCaller,
    ModelRequest,
    Outcome,
    no_usage,
    takes_max_tokens,
)
from adaptive_reasoner.nodes.spending import Purse
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.state import AnsweringNode, Attempt, ReasoningState

Prepare = Callable[[ReasoningState, CallSettings], tuple[ModelCaller, ModelRequest]]
Update = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answering:
    """One answering node.

    Attributes:
        name: the node's name in the picture.
        prepare: from the state to the model to call and what to send.
        config: the graph's settings.
        purse: asks the budgets.
    """

    name: AnsweringNode
    prepare: Prepare
    config: ReasonerConfig
    purse: Purse

    def as_node(self) -> TwoForms:
        """The node with its sync and async forms."""
        return TwoForms(self.name, self._answer, self._aanswer)

    def _answer(self, state: ReasoningState, config: RunnableConfig) -> Update:
        caller, request, refusal = self._begin(state, config)
        return self._end(state, refusal or caller.call(request, config))

    async def _aanswer(self, state: ReasoningState, config: RunnableConfig) -> Update:
        caller, request, refusal = self._begin(state, config)
        return self._end(state, refusal or await caller.acall(request, config))

    def _begin(
        self, state: ReasoningState, config: RunnableConfig
    ) -> tuple[ModelCaller, ModelRequest, Outcome | None]:
        settings = read_call_settings(config, self.config)
        caller, request = self.prepare(state, settings)
        allowed = self.purse.ask(state, settings, self.name, request)
        if allowed.refusal:
            return caller, request, _not_made(allowed.refusal)
        get_stream_writer()({"event": "call", "node": self.name})
        kwargs = dict(request.kwargs)
        if allowed.max_output_tokens is not None and takes_max_tokens(caller.model):
            kwargs["max_tokens"] = allowed.max_output_tokens
        return caller, replace(request, kwargs=kwargs, max_seconds=allowed.max_seconds), None

    def _end(self, state: ReasoningState, outcome: Outcome) -> Update:
        attempt: Attempt = {
            "node": self.name,
            "usage": outcome.usage,
            "usage_estimated": outcome.usage_estimated,
            "latency_seconds": outcome.latency_seconds,
            "error": outcome.error.code if outcome.error else None,
            "error_message": str(outcome.error) if outcome.error else None,
            "refused_by": outcome.refused_by,
        }
        candidates = [*state.get("candidates", []), outcome.message]
        return {"candidates": candidates, "turn": {**state["turn"], "attempt": attempt}}


def _not_made(refusal: str) -> Outcome:
    error = BudgetExhaustedError(f"The call was not made: {refusal}.")
    return Outcome(AIMessage(""), no_usage(), 0.0, error, refused_by=refusal)
