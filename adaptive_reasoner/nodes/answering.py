"""What fast_answer, deep_think and refine share: ask the budget, call the model, keep the attempt for the gate.

Each node only says what to send (`Prepare`); sync and async differ in the one line that waits for the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.nodes.call_settings import CallSettings, read_call_settings
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest, Outcome
from adaptive_reasoner.nodes.purse import Asked, Purse
from adaptive_reasoner.nodes.till import Till, Wish
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.state import AnsweringNode, Attempt, ReasoningState

Prepare = Callable[[ReasoningState, CallSettings], tuple[ModelCaller, ModelRequest]]
Update = dict[str, Any]
# Output tokens that a shortened thought leaves for the answer at the least.
_LEAST_ANSWER_TOKENS = 16


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
        return self._end(state, Till(self.purse).call(self._wish(state, config), config))

    async def _aanswer(self, state: ReasoningState, config: RunnableConfig) -> Update:
        return self._end(state, await Till(self.purse).acall(self._wish(state, config), config))

    def _wish(self, state: ReasoningState, config: RunnableConfig) -> Wish:
        settings = read_call_settings(config, self.config)
        caller, request = self.prepare(state, settings)
        return Wish(
            Asked(state, settings, self.name, request, caller.model),
            caller,
            request,
            shortened=partial(self._shortened, state, settings),
            announce=lambda: get_stream_writer()({"event": "call", "node": self.name}),
        )

    def _shortened(self, state: ReasoningState, settings: CallSettings, output_tokens: int) -> ModelRequest:
        """A thought that leaves room for its answer, of a model whose thoughts can be bounded."""
        room = max(_LEAST_ANSWER_TOKENS, output_tokens // 4)
        return self.prepare(state, settings.thinking_at_most(max(1, output_tokens - room)))[1]

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
        if outcome.capped_to is not None:
            attempt["capped_to"] = outcome.capped_to
        if outcome.thinking is not None:
            attempt["thinking"] = outcome.thinking
        if outcome.cut is not None:
            attempt["cut"] = outcome.cut
        candidates = [*state.get("candidates", []), outcome.message]
        return {"candidates": candidates, "turn": {**state["turn"], "attempt": attempt}}
