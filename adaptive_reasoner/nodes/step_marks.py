"""A person marks one step of a thought as wrong: what is kept of it, and how the model is asked to go on from there."""

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from adaptive_reasoner.nodes.answer_order import with_instruction
from adaptive_reasoner.prompts import MARKED_STEP, MARKED_STEP_NOTE
from adaptive_reasoner.state import StepMark
from adaptive_reasoner.thinking.steps import ThoughtStep, thought_steps
from adaptive_reasoner.thinking.thoughts import thought_text
from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping

# The most probable way on would be the marked one again.
_TEMPERATURE = 1.0


def steps_of(message: AIMessage) -> list[ThoughtStep]:
    """The steps of the message's visible thought; none where it shows none."""
    told = as_mapping(as_mapping(message.response_metadata).get("reasoning_logprobs"))
    return thought_steps(
        thought_text(message), [as_mapping(entry) for entry in as_list(told.get("content")) or ()]
    )


def mark_of(message: AIMessage, decision: dict[str, Any], round_index: int) -> StepMark:
    """What the decision marks, with the thought before it, which stands."""
    marked = steps_of(message)[int(decision["step"]) - 1]
    mark: StepMark = {
        "round": round_index,
        "step": marked["step"],
        "text": marked["text"],
        "kept": thought_text(message)[: marked["start"]].rstrip(),
    }
    if decision.get("note"):
        mark["note"] = decision["note"]
    return mark


def find_step_fault(decision: dict[str, Any], steps: list[ThoughtStep]) -> str | None:
    """What is wrong with a reply that marks a step; None if it can be used."""
    step: Any = decision.get("step")
    if not steps:
        return "there are no visible thoughts to mark a step of."
    if not isinstance(step, int) or isinstance(step, bool) or not 1 <= step <= len(steps):
        return f'"step" is {step!r}; it must be a number from 1 to {len(steps)}.'
    if not isinstance(decision.get("note", ""), str):
        return '"note" must be a text.'
    return None


def resumed_kwargs(mark: StepMark, marks: int) -> dict[str, Any]:
    """Arguments for the embedded model, which goes on from the middle of a thought."""
    return {"thought_prefix": mark["kept"], "temperature": _TEMPERATURE, "seed": marks}


def with_mark(messages: list[BaseMessage], mark: StepMark) -> list[BaseMessage]:
    """The messages for any other model: it is shown what stands, what does not, and what the person said."""
    note = MARKED_STEP_NOTE.format(note=mark["note"]) if "note" in mark else ""
    kept = mark["kept"] or "(nothing)"
    return with_instruction(messages, MARKED_STEP.format(kept=kept, step=mark["text"], note=note))
