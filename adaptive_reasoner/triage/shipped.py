"""The estimators that ship: which one a model gets, and the default pair's for anyone's use."""

from collections.abc import Sequence
from functools import cache

from langchain_core.messages import BaseMessage

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.state import DifficultyEstimator
from adaptive_reasoner.thinking import switch
from adaptive_reasoner.triage.linear import LinearEstimator, load_packaged

DEFAULT_PAIR = "default"
PAIRS = (DEFAULT_PAIR, "embedded")


def estimator_for(model_name: str) -> DifficultyEstimator | None:
    """The estimator fitted for `model_name`, or None: such models start fast and leave the rest to the gate.

    The default pair's is not lent to other models: what they gain by thinking it does not know, see
    `docs/decisions/0006-triage-for-unknown-pairs.md`.
    """
    return shipped_estimator("embedded") if model_name.startswith(switch.EMBEDDED_MODEL_NAME) else None


@cache
def shipped_estimator(pair: str = DEFAULT_PAIR) -> LinearEstimator:
    """The estimator shipped for a pair of models.

    Args:
        pair: "default" (RouteLLM's recordings, a weak and a strong model) or "embedded".

    Raises:
        ConfigurationError: none ships for `pair`.
    """
    estimator = load_packaged(pair) if pair in PAIRS else None
    if estimator is None:
        raise ConfigurationError(
            f"No triage estimator ships for the pair {pair!r}; use one of: {', '.join(PAIRS)}, or fit your own "
            "with `adaptive-reasoner train triage FILE`."
        )
    return estimator


def estimate_gain(messages_or_text: str | Sequence[BaseMessage], pair: str = DEFAULT_PAIR) -> float:
    """P(strong right) - P(weak right), predicted from the question's text alone.

    Args:
        messages_or_text: a question, or a thread whose newest human turn is the question.
        pair: whose gain; see `shipped_estimator`.

    Returns:
        A value in [-1, 1], for this pair of models; others may gain elsewhere.

    Raises:
        ConfigurationError: no estimator ships for `pair`.
    """
    estimator = shipped_estimator(pair)
    if isinstance(messages_or_text, str):
        return estimator.estimate_text(messages_or_text)["gain"]
    return estimator.estimate(messages_or_text)["gain"]
