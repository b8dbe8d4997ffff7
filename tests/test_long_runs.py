"""What people and models write is read in linear time: a run of one sign must not stop a server.

Each reader gets the same run four times as long; a search that begins anew at every sign would take sixteen times
as long for it.
"""

import gc
import time
from collections.abc import Callable

import pytest
from langchain_core.messages import HumanMessage

from adaptive_reasoner.embedded.known_world import why_outside
from adaptive_reasoner.traces.store.secrets import mask_secrets, may_hold_secrets
from adaptive_reasoner.training.distill.from_runs import work_and_answer
from adaptive_reasoner.triage.cues import question_cues
from adaptive_reasoner.uncertainty.equivalence import same_answer
from adaptive_reasoner.uncertainty.rationale import rationale_agreement
from adaptive_reasoner.uncertainty.rationale_text import held_back
from adaptive_reasoner.uncertainty.spans import find_answer_span
from adaptive_reasoner.uncertainty.structured import named_values

LENGTH = 10_000
READERS: dict[str, Callable[[str], object]] = {
    "known world": lambda text: why_outside([HumanMessage(text)]),
    "secrets masked": mask_secrets,
    "secrets looked for": may_hold_secrets,
    "worked answer": work_and_answer,
    "cues": question_cues,
    "same answer": lambda text: same_answer(text, f"{text}y"),
    "rationale": rationale_agreement,
    "heading to come": held_back,
    "answer span": find_answer_span,
    "values": named_values,
}
BEFORE = ("", "7 ", "The answer is ", "api_key password eyj ", "7\nBecause: x\nResult: ")
RUNS = (
    "x",
    "7",
    " ",
    "\n",
    " \n",
    "(",
    "1 1 ",
    "*",
    "-",
    ". ",
    "sk-",
    "eyJ",
    "-eyJ",
    "1,",
    "a b ",
    "$",
    '\\"',
)
AFTER = ("", "~")


@pytest.mark.parametrize("name", READERS)
def test_four_times_as_long_a_run_takes_far_less_than_sixteen_times_as_long(name: str) -> None:
    for before in BEFORE:
        for run in RUNS:
            for after in AFTER:
                text = before + run * (LENGTH // len(run)) + after
                longer = before + run * (4 * LENGTH // len(run)) + after
                least = max(_seconds(READERS[name], text), 0.05)  # less than that is not told from noise
                assert _seconds(READERS[name], longer) < 10 * least, (name, before, run, after)


def _seconds(read: Callable[[str], object], text: str) -> float:
    gc.disable()  # a collection of all that other tests left takes longer than the reader
    try:
        began = time.process_time()
        read(text)
        return time.process_time() - began
    finally:
        gc.enable()
