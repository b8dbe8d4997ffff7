"""Whether a fast answer comes alone or before its rationale, and what makes the model do so."""

from langchain_core.messages import BaseMessage, SystemMessage

from adaptive_reasoner.nodes.call_settings import CallSettings
from adaptive_reasoner.nodes.parts import Parts
from adaptive_reasoner.state import ReasoningState
from adaptive_reasoner.triage.least_thinking import lot_of

# With answer_order="auto", an answer that is expected to be wrong at least this often is asked for its rationale.
DOUBTFUL = 0.15
# What the answer's form is settled by; a rationale has no place in it.
_FORMS = ("tools", "structured_output", "response_format")


def answers_first(parts: Parts, state: ReasoningState, settings: CallSettings) -> bool:
    """True if this fast answer is to be followed by its rationale."""
    config = parts.config
    if config.answer_order == "think_first" or parts.fast_tools:
        return False
    if any(settings.model_kwargs.get(name) for name in _FORMS):
        return False
    if config.answer_order == "auto" and state["reasoning"]["triage"]["difficulty"] < DOUBTFUL:
        return False
    question = str(state["messages"][-1].text)
    return config.rationale_share >= 1 or lot_of(question) < config.rationale_share


def with_instruction(messages: list[BaseMessage], instruction: str) -> list[BaseMessage]:
    """`messages` with `instruction` in the leading system message, the one place that every provider allows."""
    if messages and isinstance(messages[0], SystemMessage):
        content = messages[0].content
        if isinstance(content, str):
            return [SystemMessage(f"{content}\n\n{instruction}"), *messages[1:]]
        return [SystemMessage([*content, {"type": "text", "text": instruction}]), *messages[1:]]
    return [SystemMessage(instruction), *messages]
