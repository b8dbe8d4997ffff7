"""A hybrid model's own first token as an estimate: how much it leans to `<think>` after the prompt.

It reads the prompt once (a prefill, no generated token, so it counts none). In the auto mode the answer goes on
from that prefill; as an estimate before a separate call it is read twice, a few milliseconds for the embedded
model.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from langchain_core.messages import BaseMessage

from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate.curve import Knots, find_curve_fault, read_curve
from adaptive_reasoner.state import Triage

ThinkLogit = Callable[[Sequence[BaseMessage]], float]


@dataclass(frozen=True, slots=True)
class ModeTokenEstimator:
    """Predicts the gain of thinking from log P(<think>) - log P(<fast>).

    Attributes:
        think_logit: reads it off the model for a thread.
        difficulty: it -> P(fast wrong), never falling.
        gain: it -> P(deep right) - P(fast right), never falling.
        think_at_gain: the gain from which thinking at once pays, as found when it was fitted.
    """

    think_logit: ThinkLogit
    difficulty: Knots
    gain: Knots
    think_at_gain: float = 0.9

    def estimate(self, messages: Sequence[BaseMessage]) -> Triage:
        """Estimate from what the model would say first to these messages."""
        logit = self.think_logit(messages)
        difficulty = min(1.0, max(0.0, read_curve(self.difficulty, logit)))
        return {
            "gain": read_curve(self.gain, logit),
            "difficulty": difficulty,
            "source": "mode_token",
            "reason": f"the model's own first token leans to thinking by {logit:+.2f} nats",
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], think_logit: ThinkLogit) -> "ModeTokenEstimator":
        """Build from the JSON that fitting writes.

        Raises:
            ProfileError: fields are missing, or a curve falls.
        """
        try:
            curves = [tuple((float(x), float(y)) for x, y in data[name]) for name in ("difficulty", "gain")]
            bound = float(data["think_at_gain"])
        except (KeyError, TypeError, ValueError) as error:
            raise ProfileError(f"This is no mode-token model: {error!r} is missing or malformed.") from error
        for name, knots in zip(("difficulty", "gain"), curves, strict=True):
            fault = find_curve_fault(knots, monotone=True)
            if fault:
                raise ProfileError(f"This is no mode-token model: its {name} curve is unusable, {fault}.")
        return cls(think_logit, curves[0], curves[1], bound)


def load_packaged_mode_token(name: str, think_logit: ThinkLogit) -> ModeTokenEstimator:
    """The estimator shipped as `triage/models/<name>.json`, reading the model by `think_logit`.

    Raises:
        ProfileError: none ships under this name.
    """
    file = resources.files("adaptive_reasoner.triage") / "models" / f"{name}.json"
    if not file.is_file():
        raise ProfileError(f"No mode-token model ships as {name!r}.")
    return ModeTokenEstimator.from_json(json.loads(file.read_text("utf-8")), think_logit)
