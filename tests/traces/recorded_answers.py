"""A recording of a made-up model: sure answers are right, doubtful ones wrong, and thinking mends most of those."""

import math
from typing import Any


def record(index: int, mode: str, p: float, *, correct: bool) -> dict[str, Any]:
    answer = "a" if correct else "b"
    other = "b" if correct else "a"
    return {
        "id": f"q/{index}",
        "question": f"Question {index}?",
        "choices": ["one", "two"],
        "family": "even" if index % 2 == 0 else "odd",
        "model": "tiny",
        "mode": mode,
        "answer": answer,
        "correct": correct,
        "answer_token_top": [[answer, math.log(p)], [other, math.log(1 - p)]],
        "response": f"{{'sol': '{answer}'}}",
    }


def recording(count: int = 40) -> list[dict[str, Any]]:
    """One answer in four is doubtful (p = .6) and wrong; thinking gets all but every second of these right."""
    made: list[dict[str, Any]] = []
    for index in range(count):
        doubtful = index % 4 == 0
        made.append(record(index, "fast", 0.6 if doubtful else 0.95, correct=not doubtful))
        made.append(record(index, "deep", 0.9, correct=not doubtful or index % 8 == 0))
    return made
