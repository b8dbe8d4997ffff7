"""What is known of one model in one mode: signal -> risk, and what the alternatives to accepting cost."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, cast

from adaptive_reasoner.config import ThinkingPrice
from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate.curve import Knots, find_curve_fault, read_curve
from adaptive_reasoner.gate.features import FEATURES, feature_values, has_features
from adaptive_reasoner.gate.foresight import Foresight
from adaptive_reasoner.state import Signal

Alternative = Literal["refine", "escalate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeProfile:
    """A calibrated view of the answers that a model gives in one mode.

    Attributes:
        features: names from `FEATURES`.
        weights: one for each feature; features times weights plus `bias` is the score.
        bias: of the score.
        knots: [score, risk] of a non-decreasing curve; empty: risk is the logistic function of the score.
        alternatives: for "refine" and "escalate", [risk, expected loss] of going that way. A loss is P(wrong)
            plus the price of the tokens spent, so that it compares with the risk of accepting.
        tokens: for "refine" and "escalate", [risk, expected tokens] of going that way, input and output; empty
            where that is not known.
        price: what `alternatives` take tokens and calls to cost.
        foresight: what triage's prediction adds to the expected gain of thinking; None: nothing.
        max_accepted_risk: an answer riskier than this is never accepted as sure.
        without_thought: gives the risk where a feature of the thought is asked for and the signal has none.
        of_calls: judges calls of tools in place of this profile, which then judges texts only; None: this one does.
    """

    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float
    knots: Knots = ()
    alternatives: Mapping[Alternative, Knots] = field(default_factory=dict[Alternative, Knots])
    tokens: Mapping[Alternative, Knots] = field(default_factory=dict[Alternative, Knots])
    price: ThinkingPrice = field(default_factory=ThinkingPrice)
    foresight: Foresight | None = None
    max_accepted_risk: float = 0.5
    without_thought: "ModeProfile | None" = None
    of_calls: "ModeProfile | None" = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown:
            raise ProfileError(f"Unknown feature {unknown[0]!r}; known are: {', '.join(FEATURES)}.")
        if len(self.features) != len(self.weights):
            raise ProfileError(
                f"{len(self.features)} features need as many weights, not {len(self.weights)}."
            )
        if not all(map(math.isfinite, (*self.weights, self.bias, self.max_accepted_risk))):
            raise ProfileError("Weights, bias and max_accepted_risk must be finite numbers.")
        self._check_curves()

    def _check_curves(self) -> None:
        if self.knots and (fault := find_curve_fault(self.knots, monotone=True)):
            raise ProfileError(f"The risk curve is unusable: {fault}.")
        for way, curve in self.alternatives.items():
            if way not in ("refine", "escalate"):
                raise ProfileError(f"{way!r} is no alternative; use 'refine' and 'escalate'.")
            if fault := find_curve_fault(curve):
                raise ProfileError(f"The curve of {way!r} is unusable: {fault}.")
        for way, curve in self.tokens.items():
            fault = find_curve_fault(curve)
            if fault or min(tokens for _, tokens in curve) < 0:
                raise ProfileError(f"The tokens of {way!r} are unusable: {fault or 'fewer than none'}.")
        if not all(map(math.isfinite, (self.price.per_1000_tokens, self.price.per_call))):
            raise ProfileError("The price in a profile must be finite numbers.")

    def score(self, signal: Signal) -> float:
        """The weighted sum of a signal's features; higher is riskier."""
        values = feature_values(signal, self.features)
        return self.bias + sum(weight * value for weight, value in zip(self.weights, values, strict=True))

    def risk(self, signal: Signal) -> float:
        """P(wrong) in [0, 1] of an answer with this signal, which must be of kind "logprobs"."""
        if not has_features(signal, self.features):
            return self.without_thought.risk(signal) if self.without_thought else 1.0
        score = self.score(signal)
        if self.knots:
            return min(max(read_curve(self.knots, score), 0.0), 1.0)
        return 1.0 / (1.0 + math.exp(-max(min(score, 700.0), -700.0)))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `mode_profile_from_json` reads it."""
        data = asdict(replace(self, without_thought=None, of_calls=None))
        del data["of_calls"]  # most profiles know of none, and older ones are written as they were
        if self.without_thought:
            data["without_thought"] = self.without_thought.to_json()
        return data if self.of_calls is None else {**data, "of_calls": self.of_calls.to_json()}


def mode_profile_from_json(data: Any) -> ModeProfile:
    """Read one mode of a profile.

    Raises:
        ProfileError: `data` is no mode profile; the message says why.
    """
    try:
        return ModeProfile(
            features=tuple(map(str, data["features"])),
            weights=tuple(map(float, data["weights"])),
            bias=float(data["bias"]),
            knots=_knots(data.get("knots", ())),
            alternatives={way: _knots(curve) for way, curve in data.get("alternatives", {}).items()},
            tokens={way: _knots(curve) for way, curve in data.get("tokens", {}).items()},
            price=ThinkingPrice(**{name: float(value) for name, value in data.get("price", {}).items()}),
            foresight=Foresight.from_json(found) if (found := data.get("foresight")) else None,
            max_accepted_risk=float(data.get("max_accepted_risk", 0.5)),
            without_thought=_other_profile(data, "without_thought"),
            of_calls=_other_profile(data, "of_calls"),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        if isinstance(error, ProfileError):
            raise
        raise ProfileError(f"A mode of the profile is malformed: {type(error).__name__}: {error}.") from error


def _other_profile(data: Any, name: str) -> ModeProfile | None:
    return mode_profile_from_json(found) if (found := data.get(name)) else None


def _knots(data: Any) -> Knots:
    return tuple((float(x), float(y)) for x, y in cast("list[list[Any]]", data))
