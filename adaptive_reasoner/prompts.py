"""Every prompt, as constants and the functions that fill one."""

from collections.abc import Sequence

from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING, refine_request, render_span
from adaptive_reasoner.state import UncertainSpan
from adaptive_reasoner.uncertainty.call_values import DoubtedValue

# For models without a thinking switch: the deep node asks for written thinking.
THINK = (
    "Think before you answer: write down what is asked and what is given, work step by step, and check the "
    'result in another way. End with one line "Answer: " and the answer alone.'
)

# For models without a mode of their own that answers first.
ANSWER_FIRST = (
    'Give the answer at once, on the first line: "Answer: " and the answer alone. Then, on a new line that begins with '
    '"Because:", work it out anew in a few short steps, without taking your answer for granted. End with one line '
    '"Result: " and what this work comes to, even if it differs from your answer.'
)

# For a thought of which a person marked one step as wrong.
MARKED_STEP = (
    "You thought about this before, and a person found one step to be wrong.\nYour thoughts before that step, which "
    "stand:\n{kept}\nThe wrong step:\n{step}\n{note}Go on from before the wrong step, another way, and answer in the "
    "form that is asked for."
)
MARKED_STEP_NOTE = "What the person says of it: {note}\n"

# Stands before the request that the embedded model was trained on; larger models use the extra sentence.
REFINE_PREFACE = (
    "Parts of your last answer were uncertain; they are listed with their probability and the alternatives that "
    "you considered. If something is missing that only I can tell you, ask for it; otherwise give the whole "
    "answer again, in the same form, changed only if it was wrong.\n"
)

# In place of a tool's result, to the model whose call of it is in doubt.
CALL_NOT_RUN = "Not run, because parts of this call were uncertain{values}."
OTHER_CALL_NOT_RUN = "Not run yet, because a call that you made together with this one was uncertain."
CALL_AGAIN = (
    " Check each value against what you were told and call again, with everything that is right, changed only "
    "where it was wrong. If something is missing that only the user can tell, ask for it instead of calling."
)

NOT_ANSWERED = "No answer: {reason}"
TOOL_NOT_RUN = "I was not sure enough to call {tools}, so nothing was run."
TOOL_UNKNOWN = (
    "It is unknown whether {tool} was run: the process that began it ended before it was done. It was not run again; "
    "find out what became of it first."
)
UNSURE_TOOL_ANSWER = "(This answer is not sure: {reason})"
WITHHELD = "A person reviewed the answer and withheld it."


def refine_prompt(spans: Sequence[UncertainSpan]) -> str:
    """The request that feeds uncertain spans and their alternatives back; without spans, a plain re-check."""
    choices = [[(str(text), float(p)) for text, p in span["alternatives"]] for span in spans]
    return REFINE_PREFACE + (refine_request(choices) if choices else REFINE_REQUEST_ENDING)


def call_not_run(values: Sequence[DoubtedValue], *, is_one_of_several: bool = False) -> str:
    """What a doubted call gets in place of its tool's result.

    Args:
        values: the call's own uncertain values.
        is_one_of_several: other calls of the same message have some.
    """
    if not values and is_one_of_several:
        return OTHER_CALL_NOT_RUN + CALL_AGAIN
    named = "; ".join(_doubt(value) for value in values)
    return CALL_NOT_RUN.format(values=f" ({named})" if named else "") + CALL_AGAIN


def _doubt(value: DoubtedValue) -> str:
    """For example: amount: "42" (60%) or "24" (30%)."""
    choices = render_span([(str(text), float(p)) for text, p in value.alternatives])
    is_whole = bool(value.alternatives) and value.alternatives[0][0] == value.value
    within = "" if is_whole else f' in "{value.value}"'
    return f"{value.name}: {choices}{within}" if value.name else f"{choices}{within}"
