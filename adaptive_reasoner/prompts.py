"""Every prompt, as constants and the one function that fills one."""

from collections.abc import Sequence

from adaptive_reasoner.embedded.dialogue import REFINE_REQUEST_ENDING, refine_request
from adaptive_reasoner.state import UncertainSpan

# For models without a thinking switch: the deep node asks for written thinking.
THINK = (
    "Think before you answer: write down what is asked and what is given, work step by step, and check the "
    'result in another way. End with one line "Answer: " and the answer alone.'
)

# Stands before the request that the embedded model was trained on; larger models use the extra sentence.
REFINE_PREFACE = (
    "Parts of your last answer were uncertain; they are listed with their probability and the alternatives that "
    "you considered. If something is missing that only I can tell you, ask for it; otherwise give the whole "
    "answer again, in the same form, changed only if it was wrong.\n"
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
