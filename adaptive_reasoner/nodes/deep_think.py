"""deep_think: the deep model, thinking on or to the caller's budget."""

from functools import partial

from adaptive_reasoner.nodes.answer_order import with_instruction
from adaptive_reasoner.nodes.answering import Answering
from adaptive_reasoner.nodes.call_arguments import call_arguments
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.sendable import sendable
from adaptive_reasoner.nodes.step_marks import resumed_kwargs, with_mark
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.prompts import THINK
from adaptive_reasoner.state import ReasoningState
from adaptive_reasoner.thinking import (
    has_thinking_switch,
    is_embedded,
    logprob_kwargs,
    merged,
    thinking_kwargs,
)


def make_deep_think_node(parts: Parts) -> TwoForms:
    """Build the node that thinks before it answers."""
    return Answering("deep_think", partial(deep_request, parts), parts.config, parts.purse).as_node()


def deep_request(
    parts: Parts, state: ReasoningState, settings: CallSettings
) -> tuple[ModelCaller, ModelRequest]:
    """The deep model, and what it is sent."""
    model = parts.deep.model
    kwargs = {
        **merged(call_arguments(parts, parts.deep, settings), thinking_kwargs(model, settings.deep_thinking)),
        **logprob_kwargs(model, settings.deep_thinking, parts.config.top_logprobs),
        **parts.deep_tools,
    }
    messages = sendable(state["messages"])
    if mark := state["turn"].get("step_mark"):
        if is_embedded(model):
            kwargs |= resumed_kwargs(mark, len(state["reasoning"].get("step_marks", [])))
        else:
            messages = with_mark(messages, mark)
    if has_thinking_switch(model):
        return parts.deep, ModelRequest(messages, kwargs, thinking=settings.deep_thinking)
    if parts.thinks_by_prompt:
        return parts.deep, ModelRequest(with_instruction(messages, THINK), kwargs, thinking="written")
    return parts.deep, ModelRequest(messages, kwargs)
