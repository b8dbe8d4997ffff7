"""refine: the model that answered sees its uncertain spans with their alternatives and answers, or calls, again."""

from functools import partial

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from adaptive_reasoner.nodes.answering import Answering
from adaptive_reasoner.nodes.best_round import answered_by_deep
from adaptive_reasoner.nodes.call_arguments import call_arguments
from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.model_call import ModelCaller, ModelRequest
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.nodes.repair import repair_messages
from adaptive_reasoner.nodes.sendable import sendable
from adaptive_reasoner.nodes.two_forms import TwoForms
from adaptive_reasoner.prompts import refine_prompt
from adaptive_reasoner.state import ReasoningState
from adaptive_reasoner.thinking import has_thinking_switch, logprob_kwargs, merged, thinking_kwargs


def make_refine_node(parts: Parts) -> TwoForms:
    """Build the node that feeds the doubt back."""
    return Answering("refine", partial(refine_request, parts), parts.config, parts.purse).as_node()


def refine_request(
    parts: Parts, state: ReasoningState, settings: CallSettings
) -> tuple[ModelCaller, ModelRequest]:
    """The model that answered, and its newest answer with the doubt about it."""
    by_deep = answered_by_deep(state["reasoning"]["rounds"])
    caller = parts.deep if by_deep else parts.fast
    thinking = settings.deep_thinking if by_deep else "off"
    kwargs = {
        **merged(call_arguments(parts, caller, settings), thinking_kwargs(caller.model, thinking)),
        **logprob_kwargs(caller.model, thinking, parts.config.top_logprobs),
        **(parts.deep_tools if by_deep else parts.fast_tools),
    }
    wish = thinking if has_thinking_switch(caller.model) else None
    messages = [*sendable(state["messages"]), *_doubt(parts, state, by_deep=by_deep)]
    return caller, ModelRequest(messages, kwargs, thinking=wish)


def _doubt(parts: Parts, state: ReasoningState, *, by_deep: bool) -> list[BaseMessage]:
    """The newest answer, and what is doubted about it."""
    doubted, gate = state["candidates"][-1], parts.deep_gate if by_deep else parts.fast_gate
    feeds_spans = getattr(gate, "feeds_spans", True)
    spans = state["reasoning"]["rounds"][-1]["signal"]["spans"] if feeds_spans else []
    if doubted.tool_calls:
        return repair_messages(doubted, spans)
    return [AIMessage(str(doubted.text)), HumanMessage(refine_prompt(spans))]
