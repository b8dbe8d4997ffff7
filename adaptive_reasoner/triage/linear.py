"""A linear model over cheap text features: microseconds a query, no embedding model, no download.

The gain of thinking is predicted directly, or as P(fast wrong) - P(deep wrong), each a logistic function of the
same features.
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, cast

from langchain_core.messages import BaseMessage

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.profile_files import read_profile, write_profile
from adaptive_reasoner.state import Triage
from adaptive_reasoner.triage.arithmetic import FEATURES, text_features
from adaptive_reasoner.triage.cues import CUES, question_cues
from adaptive_reasoner.triage.follow_up import question_in_thread

__all__ = ["FEATURES", "FEATURE_SETS", "FeatureSet", "LinearEstimator", "load_packaged", "text_features"]

VERSION = 1
Weights = Mapping[str, float]
_NAMED_CUES = 2  # of a reason


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """The names of some features, and what computes them from a text."""

    names: tuple[str, ...]
    compute: Callable[[str], dict[str, float]]


# "arithmetic" counts what there is to compute in a story, "cues" what a question in general asks for.
FEATURE_SETS: Mapping[str, FeatureSet] = {
    "arithmetic": FeatureSet(FEATURES, text_features),
    "cues": FeatureSet(CUES, question_cues),
}


@dataclass(frozen=True, slots=True)
class LinearEstimator:
    """Predicts the gain of thinking for one pair of models.

    Attributes:
        pair: the models it was fitted for.
        fast_wrong: weight of each feature for P(fast wrong), a logistic function; "bias" among them.
        deep_wrong: the same for P(deep wrong); not used where `gain` is given.
        think_at_gain: the gain from which thinking at once pays, as found when it was fitted; None: it was not
            fitted for the models that it meets, so it informs and the gate decides.
        features: a key of `FEATURE_SETS`.
        gain: weights that predict the gain itself, or None.
        provenance: plain JSON: the data and the figures behind it.
    """

    pair: str
    fast_wrong: Weights
    deep_wrong: Weights
    think_at_gain: float | None = 0.9
    features: str = "arithmetic"
    gain: Weights | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def estimate(self, messages: Sequence[BaseMessage]) -> Triage:
        """Estimate for the newest question, judged in its thread."""
        return self.estimate_text(question_in_thread(messages))

    def estimate_text(self, text: str) -> Triage:
        """Estimate for a question given as text."""
        features = FEATURE_SETS[self.features].compute(text)
        difficulty = _probability(self.fast_wrong, features)
        if self.gain is None:
            gain = difficulty - _probability(self.deep_wrong, features)
            reason = f"P(fast wrong) is predicted at {difficulty:.2f} from the question's text"
        else:
            gain = max(-1.0, min(1.0, _weighted(self.gain, features)))
            difficulty, reason = max(difficulty, gain), _reason(self.gain, features)
        return {"gain": gain, "difficulty": difficulty, "source": f"linear:{self.pair}", "reason": reason}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it."""
        return {
            "version": VERSION,
            "pair": self.pair,
            "features": self.features,
            "think_at_gain": self.think_at_gain,
            "gain": None if self.gain is None else dict(self.gain),
            "fast_wrong": dict(self.fast_wrong),
            "deep_wrong": dict(self.deep_wrong),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, data: Any) -> "LinearEstimator":
        """Build from the JSON that fitting writes.

        Raises:
            ProfileError: a field is missing, malformed or not finite; the message names it.
        """
        if not isinstance(data, Mapping):
            raise ProfileError("This is no triage model: it must be a JSON object.")
        fields = cast("Mapping[str, Any]", data)
        if fields.get("version", VERSION) != VERSION:
            raise ProfileError(
                f"The triage model has version {fields['version']!r}; this one reads {VERSION}."
            )
        features = str(fields.get("features", "arithmetic"))
        if features not in FEATURE_SETS:
            raise ProfileError(f"features is {features!r}; use one of: {', '.join(FEATURE_SETS)}.")
        known = {"bias", *FEATURE_SETS[features].names}
        try:
            return cls(
                pair=str(fields["pair"]),
                fast_wrong=_weights("fast_wrong", fields["fast_wrong"], known),
                deep_wrong=_weights("deep_wrong", fields["deep_wrong"], known),
                think_at_gain=_bound(fields["think_at_gain"]),
                features=features,
                gain=_weights("gain", fields["gain"], known) if fields.get("gain") is not None else None,
                provenance=dict(fields.get("provenance", {})),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ProfileError(f"This is no triage model: {error} is missing or malformed.") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the estimator as JSON; a reader never sees half of it.

        Raises:
            ProfileError: the file cannot be written.
        """
        write_profile(path, self.to_json(), "triage model")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "LinearEstimator":
        """Read an estimator that `save`, or `adaptive-reasoner train triage`, wrote.

        Raises:
            ProfileError: the file is missing or no triage model; one line that says which.
        """
        return read_profile(path, cls.from_json, "triage model")


def load_packaged(name: str) -> LinearEstimator | None:
    """The estimator shipped as `triage/models/<name>.json`, None if there is none."""
    file = resources.files("adaptive_reasoner.triage") / "models" / f"{name}.json"
    return LinearEstimator.from_json(json.loads(file.read_text("utf-8"))) if file.is_file() else None


def _weights(name: str, given: Any, known: set[str]) -> dict[str, float]:
    weights = {str(feature): float(weight) for feature, weight in dict(given).items()}
    strangers = sorted(set(weights) - known)
    if strangers:
        raise ProfileError(f"{name} weighs {strangers[0]!r}, which is no feature of this set.")
    for feature, weight in weights.items():
        if not math.isfinite(weight):
            raise ProfileError(f"{name} gives {feature!r} the weight {weight}; it must be finite.")
    return weights


def _bound(given: Any) -> float | None:
    if given is None:
        return None
    if not -1.0 <= float(given) <= 1.0:
        raise ProfileError(f"think_at_gain is {given}; it must lie between -1 and 1, or be null.")
    return float(given)


def _weighted(weights: Weights, features: Mapping[str, float]) -> float:
    return weights.get("bias", 0.0) + sum(weights.get(name, 0.0) * value for name, value in features.items())


def _probability(weights: Weights, features: Mapping[str, float]) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, _weighted(weights, features)))))


def _reason(weights: Weights, features: Mapping[str, float]) -> str:
    """The cues that raise the prediction most, in words."""
    raised = {name: weights.get(name, 0.0) * value for name, value in features.items() if name != "log_words"}
    strongest = sorted((name for name in raised if raised[name] > 0), key=raised.__getitem__, reverse=True)
    named = ", ".join(name.replace("_", " ") for name in strongest[:_NAMED_CUES])
    return f"predicted from the question's text, from its {named or 'length'}"
