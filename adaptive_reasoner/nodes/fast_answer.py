"""fast_answer: the fast model, thinking off."""

from functools import partial

from adaptive_reasoner.nodes.answering import Answering
from adaptive_reasoner.nodes.call_arguments import call_arguments
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.sendable import sendable
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.nodes.watched_answer import watched_request
from adaptive_reasoner.state import ReasoningState
from adaptive_reasoner.thinking import has_thinking_switch, logprob_kwargs, merged, thinking_kwargs
from adaptive_reasoner.thinking.switch import Thinking


def make_fast_answer_node(parts: Parts) -> TwoForms:
    """Build the node that answers without thinking."""
    prepare = partial(watched_request, parts, fast_request)
    return Answering("fast_answer", prepare, parts.config, parts.purse).as_node()


def fast_request(
    parts: Parts, state: ReasoningState, settings: CallSettings
) -> tuple[ModelCaller, ModelRequest]:
    """The fast model, and what it is sent."""
    model = parts.fast.model
    thinking: Thinking = "answer_first" if _answers_first(parts) else "off"
    kwargs = {
        **merged(call_arguments(parts, parts.fast, settings), thinking_kwargs(model, thinking)),
        **logprob_kwargs(model, "off", parts.config.top_logprobs),
        **parts.fast_tools,
    }
    return parts.fast, ModelRequest(sendable(state["messages"]), kwargs, thinking="off")


def _answers_first(parts: Parts) -> bool:
    """Answer first, then the rationale, where the caller wants it and the model has that mode."""
    has_mode = "thinking" in type(parts.fast.model).model_fields and has_thinking_switch(parts.fast.model)
    return parts.config.answer_order == "answer_first" and has_mode
