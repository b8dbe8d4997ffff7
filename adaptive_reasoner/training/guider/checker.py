"""Is an answer right? Numbers are compared as numbers, everything else as text."""

import re
from fractions import Fraction

from adaptive_reasoner.training.ibpo.task import Task, normalise, stated_answer

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:\s*/\s*\d+)?|-?\.\d+")


def is_right(response: str, task: Task) -> bool:
    """Whether the answer that a response states is the task's.

    Where the task's answer is a number, the last number that the response states counts, whatever unit follows it.

    Args:
        response: thoughts and answer; the answer is boxed, after "Answer:" or "####", or the last line.
        task: with the right answer, stated in the same ways or bare.
    """
    stated, wanted = stated_answer(response), stated_answer(task.answer)
    number = _number(wanted) if _NUMBER.fullmatch(normalise(wanted)) else None
    if number is not None:
        found = _NUMBER.findall(stated)
        return bool(found) and _number(found[-1]) == number
    return normalise(stated) == normalise(wanted)


def _number(text: str) -> Fraction | None:
    """The value of a number, exactly; None where it is none, or divides by 0."""
    found = _NUMBER.search(text)
    try:
        return Fraction("".join(found.group().replace(",", "").split())) if found else None
    except (ValueError, ZeroDivisionError):
        return None
