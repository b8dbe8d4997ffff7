"""Numbers that a risk is computed from: a fixed table over a signal, the same for every model."""

import math
from collections.abc import Callable, Sequence
from typing import cast

from adaptive_reasoner.state import EntropyBounds, Signal

_LEAST = 1e-10  # where doubts end; how small they are still tells right from wrong after thinking
_LEAST_ENTROPY = 1e-12  # what is left of it by log probabilities with six decimals


def feature_values(signal: Signal, names: Sequence[str]) -> list[float]:
    """The named features of a signal of kind "logprobs"."""
    return [FEATURES[name](signal) for name in names]


def has_features(signal: Signal, names: Sequence[str]) -> bool:
    """True if a signal of kind "logprobs" holds what all the named features are computed from."""
    return all(_NEEDED[name] in signal for name in names if name in _NEEDED)


def _mean_entropy(signal: Signal) -> float:
    return cast("EntropyBounds", signal["entropy_nats"])["lower"]


def _min_probability(signal: Signal) -> float:
    return cast("float", signal["min_probability"])


def _sequence_logprob(signal: Signal) -> float:
    return -signal["token_count"] * math.log(cast("float", signal["perplexity"]))


def _entropy_sum(signal: Signal) -> float:
    return _mean_entropy(signal) * signal["token_count"]


def _max_span_entropy(signal: Signal) -> float:
    return max((span["entropy_nats"] for span in signal["spans"]), default=0.0)


def _thought_logprob(signal: Signal) -> float:
    return cast("float", signal.get("thought_logprob"))


def _support(signal: Signal) -> float:
    return cast("float", signal.get("support"))


def _contradicted(signal: Signal) -> float:
    """1 for an answer whose own rationale comes to another result, 0 for any other."""
    return 1.0 - signal.get("rationale_agreement", 1.0)


def _repeats(signal: Signal) -> float:
    """1 for a refined answer that stayed the same, -1 for another one, 0 for an answer that refines none."""
    repeats = signal.get("repeats")
    return 0.0 if repeats is None else 1.0 if repeats else -1.0


FEATURES: dict[str, Callable[[Signal], float]] = {
    "mean_entropy": _mean_entropy,  # nats a token
    "entropy_sum": _entropy_sum,  # nats
    "max_span_entropy": _max_span_entropy,  # nats, 0 where no token is uncertain
    "sequence_logprob": _sequence_logprob,  # ln P of the whole answer span
    "min_probability": _min_probability,
    "log_min_probability": lambda signal: math.log(max(_min_probability(signal), _LEAST)),
    "log_doubt": lambda signal: math.log(max(1.0 - _min_probability(signal), _LEAST)),
    "log_sequence_doubt": lambda signal: math.log(max(-math.expm1(_sequence_logprob(signal)), _LEAST)),
    "log_entropy_sum": lambda signal: math.log(max(_entropy_sum(signal), _LEAST_ENTROPY)),
    "thought_logprob": _thought_logprob,  # ln P of the whole thought
    "log_thought_doubt": lambda signal: math.log(max(-math.expm1(_thought_logprob(signal)), _LEAST)),
    "log_unsupported": lambda signal: math.log(max(1.0 - _support(signal), _LEAST)),
    "repeats": _repeats,
    "contradicted": _contradicted,
    "token_count": lambda signal: float(signal["token_count"]),
}
# Only some models report their thoughts' log probabilities, and no endpoint of OpenAI's shape does.
OF_THE_THOUGHT = frozenset({"thought_logprob", "log_thought_doubt"})
# What a signal must hold for a feature; all others can be had from every signal of kind "logprobs".
_NEEDED = {
    **dict.fromkeys(OF_THE_THOUGHT, "thought_logprob"),
    "log_unsupported": "support",
    "contradicted": "rationale_agreement",
}

# Which way a risk may go with a feature: up (1), down (-1), or either (0). A fit that turns one round has found
# its correlation with another feature, and would mislead on answers unlike those it has seen.
DIRECTIONS: dict[str, int] = {
    "mean_entropy": 1,
    "entropy_sum": 1,
    "max_span_entropy": 1,
    "sequence_logprob": -1,
    "min_probability": -1,
    "log_min_probability": -1,
    "log_doubt": 1,
    "log_sequence_doubt": 1,
    "log_entropy_sum": 1,
    "thought_logprob": -1,
    "log_thought_doubt": 1,
    "log_unsupported": 1,
    "repeats": -1,
    "contradicted": 1,
    "token_count": 0,
}
