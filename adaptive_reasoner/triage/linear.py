"""A logistic model over cheap text features: microseconds a query, no embedding model, no download.

The gain of thinking is P(fast wrong) - P(deep wrong), each a logistic function of the same features.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.state import Triage

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[a-z]+")
_CUES: dict[str, frozenset[str]] = {
    "multiply": frozenset({"times", "twice", "double", "each", "every", "per"}),
    "divide": frozenset({"half", "divided", "share", "split", "equally"}),
    "compare": frozenset({"than", "fewer", "less", "as"}),
    "change": frozenset({"then", "buys", "gives", "loses", "finds", "gets", "sells", "eats", "wins", "more"}),
    "money": frozenset({"costs", "cost", "pays", "dollars", "price", "change", "earns", "hour", "hours"}),
    "sum": frozenset({"together", "total", "altogether", "both", "all"}),
}
_LONGEST = 20_000  # characters that are looked at: a question's work shows in its beginning
_LARGEST_DIGITS = 12
FEATURES: tuple[str, ...] = (
    "numbers", "large_numbers", "magnitude", "words", "sentences", "plus_minus", "times_signs", "brackets",
    *(f"{cue}_words" for cue in _CUES), "log_words", "log_numbers", "beyond_two_numbers", "symbol_numbers",
    "compared_numbers",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LinearEstimator:
    """Predicts the gain of thinking for one pair of models.

    Attributes:
        pair: the models it was fitted for.
        fast_wrong: weight of each feature for P(fast wrong), "bias" among them.
        deep_wrong: the same for P(deep wrong).
        think_at_gain: the gain from which thinking at once pays, as found when it was fitted.
    """

    pair: str
    fast_wrong: Mapping[str, float]
    deep_wrong: Mapping[str, float]
    think_at_gain: float = 0.9

    def estimate(self, messages: Sequence[BaseMessage]) -> Triage:
        """Estimate from the newest human message's text."""
        text = next((str(m.text) for m in reversed(messages) if isinstance(m, HumanMessage)), "")
        features = text_features(text)
        difficulty = _probability(self.fast_wrong, features)
        gain = difficulty - _probability(self.deep_wrong, features)
        reason = f"P(fast wrong) is predicted at {difficulty:.2f} from the question's text"
        return {"gain": gain, "difficulty": difficulty, "source": f"linear:{self.pair}", "reason": reason}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "LinearEstimator":
        """Build from the JSON that fitting writes.

        Raises:
            ProfileError: fields are missing.
        """
        try:
            weights = dict(data["fast_wrong"]), dict(data["deep_wrong"])
            return cls(str(data["pair"]), *weights, float(data["think_at_gain"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ProfileError(f"This is no triage model: {error!r} is missing or malformed.") from error


def text_features(text: str) -> dict[str, float]:
    """Counts that say how much there is to compute in `text`; the keys are `FEATURES`."""
    text = text[:_LONGEST]
    words = _WORD.findall(text.lower())
    numbers = _NUMBER.findall(text)
    count = len(numbers)
    cues = {f"{cue}_words": sum(map(members.__contains__, words)) for cue, members in _CUES.items()}
    plus_minus = text.count("+") + text.count(" - ")
    times_signs = text.count("*") + text.count("/")
    counts: dict[str, float] = {
        "numbers": count,
        "large_numbers": sum(len(number) > 1 for number in numbers),
        "magnitude": sum(math.log1p(int(number[:_LARGEST_DIGITS])) for number in numbers),
        "words": len(words),
        "sentences": sum(text.count(mark) for mark in ".?!"),
        "plus_minus": plus_minus,
        "times_signs": times_signs,
        "brackets": text.count("("),
        "log_words": math.log1p(len(words)),
        "log_numbers": math.log1p(count),
        "beyond_two_numbers": max(count - 2, 0),
        "symbol_numbers": count if plus_minus + times_signs else 0,
        "compared_numbers": count if cues["compare_words"] else 0,
    }
    return {name: float(value) for name, value in {**counts, **cues}.items()}


def load_packaged(name: str) -> LinearEstimator | None:
    """The estimator shipped as `triage/models/<name>.json`, None if there is none."""
    file = resources.files("adaptive_reasoner.triage") / "models" / f"{name}.json"
    return LinearEstimator.from_json(json.loads(file.read_text("utf-8"))) if file.is_file() else None


def _probability(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    logit = weights.get("bias", 0.0) + sum(weights.get(name, 0.0) * value for name, value in features.items())
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))
