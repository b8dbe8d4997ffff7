"""fast_answer: the fast model, thinking off."""

from functools import partial

from adaptive_reasoner.nodes.answer_order import answers_first, with_instruction
from adaptive_reasoner.nodes.answering import Answering
from adaptive_reasoner.nodes.call_arguments import call_arguments
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.sendable import sendable
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.nodes.watched_answer import watched_request
from adaptive_reasoner.nodes.whole_logprobs import RATIONALE_AFTER
from adaptive_reasoner.prompts import ANSWER_FIRST
from adaptive_reasoner.state import ReasoningState
from adaptive_reasoner.thinking import has_answer_first, logprob_kwargs, merged, thinking_kwargs


def make_fast_answer_node(parts: Parts) -> TwoForms:
    """Build the node that answers without thinking."""
    prepare = partial(watched_request, parts, fast_request)
    return Answering("fast_answer", prepare, parts.config, parts.purse).as_node()


def fast_request(
    parts: Parts, state: ReasoningState, settings: CallSettings
) -> tuple[ModelCaller, ModelRequest]:
    """The fast model, and what it is sent."""
    model, messages = parts.fast.model, sendable(state["messages"])
    is_first = answers_first(parts, state, settings)
    has_mode = is_first and has_answer_first(model)
    kwargs = {
        **merged(
            call_arguments(parts, parts.fast, settings),
            thinking_kwargs(model, "answer_first" if has_mode else "off"),
        ),
        **logprob_kwargs(model, "off", parts.config.top_logprobs),
        **parts.fast_tools,
    }
    if is_first:
        kwargs[RATIONALE_AFTER] = True
        messages = messages if has_mode else with_instruction(messages, ANSWER_FIRST)
    return parts.fast, ModelRequest(messages, kwargs, thinking="off")
