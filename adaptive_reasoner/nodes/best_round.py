"""Which of several answers is best: the least risk wins, a newer one only if it is no worse."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage

from adaptive_reasoner.state import Mode, Round

# Where no risk is known: a thought-through answer is taken to be better than a doubted fast one.
_RISK_IF_UNKNOWN: dict[Mode, float] = {"fast": 0.9, "refine": 0.8, "deep": 0.4}
_MODE: dict[str, Mode] = {"fast_answer": "fast", "refine": "refine", "deep_think": "deep"}
_RISK_OF_NO_ANSWER = 2.0


def risk_of(one: Round) -> float:
    """The round's risk for comparing answers; a failed call is worse than any answer."""
    if "error" in one:
        return _RISK_OF_NO_ANSWER
    risk, minimum = one["signal"]["risk"], one["signal"]["min_probability"]
    if risk is not None:
        return risk
    return 1.0 - minimum if minimum is not None else _RISK_IF_UNKNOWN[_MODE[one["node"]]]


def best_round(rounds: Sequence[Round]) -> int:
    """Index of the answer with the least risk; among equals the newest. -1 without rounds."""
    best = -1
    for index, one in enumerate(rounds):
        if best < 0 or risk_of(one) <= risk_of(rounds[best]):
            best = index
    return best


def repeats_doubt(candidates: Sequence[AIMessage]) -> bool:
    """True if the last two answers are the same: asking a third time would bring the same doubt back."""
    if len(candidates) < 2:
        return False
    last, before = (str(message.text).strip() for message in (candidates[-1], candidates[-2]))
    return bool(last) and last == before
