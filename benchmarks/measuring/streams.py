"""Recorded questions as a stream: who thinks, in which order they come, and what the allocation makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from langchain_core.messages import AIMessage
from langchain_core.messages.utils import count_tokens_approximately
from measuring.real_models import Side
from numpy.typing import NDArray

from adaptive_reasoner.config import Allocation, Situation, Spending, ThinkingPrice
from adaptive_reasoner.gate.decision import UNKNOWN_GAIN
from adaptive_reasoner.gate.mode_profile import ModeProfile
from adaptive_reasoner.gate.pricing import expected_loss
from adaptive_reasoner.gate.profile import GateProfile
from adaptive_reasoner.state import Signal, Triage
from adaptive_reasoner.traces.frontier import chosen

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stream:
    """n questions of one side, seen by one profile, with everything that may happen to them.

    Attributes:
        gains: shape (n,), what the gate expects of thinking; it thinks where this exceeds the price of a call.
        foreseen: what triage predicts for each; None where there is no triage.
        fast_right, deep_right: shape (n,), 0 or 1.
        after_right: shape (n,), of the answer handed on after both were given.
        fast_tokens, deep_tokens: shape (n,), of one call, input and output, four characters a token.
        families: shape (n,).
    """

    profile: GateProfile
    gains: Floats
    foreseen: Sequence[Triage | None]
    fast_right: Floats
    deep_right: Floats
    after_right: Floats
    fast_tokens: Floats
    deep_tokens: Floats
    families: NDArray[np.str_]


def stream_of(side: Side, profile: GateProfile, foreseen: Sequence[Triage | None]) -> Stream:
    """Score both answers of each question and let the graph's own rule choose between them."""
    fast_right = np.array([float(pair.fast["correct"]) for pair in side.pairs])
    deep_right = np.array([float(bool(pair.deep and pair.deep["correct"])) for pair in side.pairs])
    scored = [
        (with_risk(fast, profile, "fast"), with_risk(deep, profile, "deep")) for fast, deep in side.signals
    ]
    takes_deep = np.array([chosen(fast, deep, profile.comparison) for fast, deep in scored])
    return Stream(
        profile=profile,
        gains=expected_gains(profile, [fast for fast, _ in side.signals], foreseen),
        foreseen=foreseen,
        fast_right=fast_right,
        deep_right=deep_right,
        after_right=np.where(takes_deep == 1, deep_right, fast_right),
        fast_tokens=np.array([_tokens(pair.question, example.fast) for pair, example in _both(side)]),
        deep_tokens=np.array([_tokens(pair.question, example.deep) for pair, example in _both(side)]),
        families=np.array([str(pair.fast["family"]) for pair in side.pairs]),
    )


def with_risk(signal: Signal, profile: GateProfile, mode: Any) -> Signal:
    """The signal with the risk that the graph reports."""
    known = profile.modes.get(mode)
    return signal if known is None or signal["kind"] != "logprobs" else {**signal, "risk": known.risk(signal)}


def expected_gains(
    profile: GateProfile, signals: Sequence[Signal], foreseen: Sequence[Triage | None]
) -> Floats:
    """What the gate expects thinking to gain: the price of a call at which it stops, shape (n,)."""
    known = profile.modes["fast"]
    return np.array([_gain(known, signal, triage) for signal, triage in zip(signals, foreseen, strict=True)])


def _gain(known: ModeProfile, signal: Signal, triage: Triage | None) -> float:
    if signal["kind"] != "logprobs":
        return UNKNOWN_GAIN
    situation = Situation(
        mode="fast",
        can_refine=False,
        can_escalate=True,
        can_review=False,
        price=ThinkingPrice(),
        triage=triage,
    )
    return known.risk(signal) - expected_loss("escalate", known.risk(signal), known, situation)


def play(
    stream: Stream,
    order: Sequence[int],
    allocation: Allocation,
    think_at_gain: float | None = None,
) -> tuple[Flags, Flags]:
    """Which questions think after their fast answer, and which at once, where they come in this order.

    Args:
        stream: the questions.
        order: in which they come.
        allocation: asked and told of each.
        think_at_gain: predicted gain from which a question thinks at once, where it also reaches the price.

    Returns:
        Two arrays of shape (n,), in the questions' own order.
    """
    after, skipped = (np.zeros(len(stream.gains), dtype=np.bool_) for _ in range(2))
    for index in order:
        price, triage = allocation.price(), stream.foreseen[index]
        if think_at_gain is not None and triage is not None:
            skipped[index] = triage["gain"] >= max(think_at_gain, price.of_a_call)
        after[index] = not skipped[index] and stream.gains[index] > price.of_a_call
        deep = int(stream.deep_tokens[index])
        calls = int(skipped[index] or after[index])
        fast = 0 if skipped[index] else int(stream.fast_tokens[index])
        allocation.observe(
            Spending(thinking_calls=calls, thinking_tokens=calls * deep, tokens=fast + calls * deep)
        )
    return after, skipped


def orders(stream: Stream, seed: int, shuffles: int) -> dict[str, list[list[int]]]:
    """Shuffled streams, and streams whose difficulty drifts: by the expected gains with noise, and by family."""
    rng, n = np.random.default_rng(seed), len(stream.gains)
    hard = np.argsort(np.argsort(stream.gains)) / n
    drifting = np.argsort(hard + rng.normal(0, 0.3, n), kind="stable")
    names = sorted(set(stream.families.tolist()))
    by_family = np.concatenate([np.flatnonzero(stream.families == name) for name in names])
    return {
        "shuffled": [rng.permutation(n).tolist() for _ in range(shuffles)],
        "easy to hard": [drifting.tolist()],
        "hard to easy": [drifting[::-1].tolist()],
        "one family after another": [by_family.tolist()],
    }


def _both(side: Side) -> Any:
    return zip(side.pairs, side.examples, strict=True)


def _tokens(question: str, answer: AIMessage | None) -> int:
    return 0 if answer is None else count_tokens_approximately([question, answer])
