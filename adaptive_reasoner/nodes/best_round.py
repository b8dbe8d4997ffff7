"""Which of several answers is best: by a fitted comparison of fast and deep ones, or else by the least risk."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage

from adaptive_reasoner.gate.comparison import Comparison
from adaptive_reasoner.nodes.repair import said
from adaptive_reasoner.state import MODE_OF_NODE, AnsweringNode, Mode, Round

# Where no risk is known: a thought-through answer is taken to be better than a doubted fast one.
_RISK_IF_UNKNOWN: dict[Mode, float] = {"fast": 0.9, "refine": 0.8, "deep": 0.4}
_LEAST_RISK_OF_UNRUN_CALL, _RISK_SHARE_OF_UNRUN_CALL = 1.0, 0.9
_RISK_OF_NO_ANSWER = 2.0


def is_answer(one: Round) -> bool:
    """False of a call that failed, and of an answer that was cut off before its end."""
    return "error" not in one and "cut" not in one


def risk_of(one: Round) -> float:
    """The round's risk for comparing answers; an unrun tool call and a failed call are worse than any answer."""
    if not is_answer(one):
        return _RISK_OF_NO_ANSWER
    if "tool_calls" in one:
        return _LEAST_RISK_OF_UNRUN_CALL + _RISK_SHARE_OF_UNRUN_CALL * _own_risk(one)
    return _own_risk(one)


def _own_risk(one: Round) -> float:
    risk, minimum = one["signal"]["risk"], one["signal"]["min_probability"]
    if risk is not None:
        return risk
    return 1.0 - minimum if minimum is not None else _RISK_IF_UNKNOWN[MODE_OF_NODE[one["node"]]]


def best_round(rounds: Sequence[Round], first: int = 0, *, comparison: Comparison | None = None) -> int:
    """Index of the answer with the least risk; among equals the newest; -1 where every call failed.

    An answer that was accepted although nothing measures it, and a tool call that was accepted, stand as
    they are: there is no risk to compare.

    Args:
        rounds: a turn's rounds, the last one judged.
        first: index of the first round that counts.
        comparison: decides between a fast and a deep answer where it applies.
    """
    best = -1
    for index in range(first, len(rounds)):
        if is_answer(rounds[index]) and (best < 0 or not _is_better(rounds[best], rounds[index], comparison)):
            best = index
    return len(rounds) - 1 if best >= 0 and _stands(rounds[-1]) else best


def _is_better(older: Round, newer: Round, comparison: Comparison | None) -> bool:
    """True if the older answer should stand."""
    if comparison and _answers(older, "fast_answer") and _answers(newer, "deep_think"):
        keeps = comparison.keeps_fast(older["signal"], newer["signal"])
        if keeps is not None:
            return keeps
    return risk_of(newer) > risk_of(older)


def _answers(one: Round, node: AnsweringNode) -> bool:
    return one["node"] == node and is_answer(one) and "tool_calls" not in one


def answered_by_deep(rounds: Sequence[Round]) -> bool:
    """True if the answer under doubt came from the deep model, refined or not."""
    return any(one["node"] == "deep_think" for one in rounds)


def repeats_doubt(candidates: Sequence[AIMessage]) -> bool:
    """True if the last two answers are the same: asking a third time would bring the same doubt back."""
    if len(candidates) < 2:
        return False
    last, before = said(candidates[-1]), said(candidates[-2])
    return bool(last) and last == before


def _stands(last: Round) -> bool:
    return last["verdict"] == "accept" and (last["signal"]["kind"] == "unknown" or "tool_calls" in last)
