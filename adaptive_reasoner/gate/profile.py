"""GateProfile: what a gate knows of a model, as a small JSON file with its provenance."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, cast, get_args

from adaptive_reasoner.config import Decision, Situation
from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate.comparison import Comparison, comparison_from_json
from adaptive_reasoner.gate.decision import decide
from adaptive_reasoner.gate.early_cut import EarlyCut
from adaptive_reasoner.gate.mode_profile import ModeProfile, mode_profile_from_json
from adaptive_reasoner.profile_files import read_profile, write_profile
from adaptive_reasoner.state import Mode, Signal

VERSION = 1
ProfileKind = Literal["calibrated", "quantile", "default"]

# What stands in for a risk where nothing was labelled; it is not reported as one.
_SOURCES: Mapping[ProfileKind, str] = {
    "quantile": "uncalibrated, by quantiles of unlabelled answers",
    "default": "uncalibrated, by a plain threshold",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateProfile:
    """Turns signals of one model into verdicts; `ReasonerConfig(gate=profile)` uses it.

    Attributes:
        kind: "calibrated" on labelled answers, "quantile" on unlabelled ones, "default" on none.
        model: name, or the beginning of the names, of the models that it was made for; "" for any.
        modes: one profile a mode; a mode without one falls back on the uncalibrated rule.
        feeds_spans: whether a refine request names the uncertain spans; False where calibration found that this
            model refines better from the plain request.
        comparison: when a fast answer stands although a deep one was given; None: the lesser risk wins.
        early_cut: when a fast answer's stream is cut because it will be escalated; None: never.
        provenance: plain JSON: the data, the target and the figures behind it.
    """

    kind: ProfileKind
    model: str
    modes: Mapping[Mode, ModeProfile]
    feeds_spans: bool = True
    comparison: Comparison | None = None
    early_cut: EarlyCut | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if self.kind not in get_args(ProfileKind):
            raise ProfileError(f"A profile is one of {', '.join(get_args(ProfileKind))}, not {self.kind!r}.")
        for mode in self.modes:
            if mode not in get_args(Mode):
                raise ProfileError(f"A profile has the modes {', '.join(get_args(Mode))}, not {mode!r}.")

    @classmethod
    def default(cls) -> Self:
        """The cautious rule for models without calibration; its decisions say so."""
        return cls(kind="default", model="", modes={}, provenance={"rule": "1 - least probability > 0.2"})

    def decide(self, signal: Signal, situation: Situation) -> Decision:
        """Decide what happens to an answer whose uncertainty is `signal`."""
        mode = self.modes.get(situation.mode)
        if mode is not None and situation.is_call:
            mode = mode.of_calls or mode
        decision = decide(signal, situation, mode)
        if self.kind == "calibrated" or decision.risk is None:
            return decision
        return replace(decision, risk=None, reason=f"{_SOURCES[self.kind]}: {decision.reason}")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it."""
        compared = {"comparison": self.comparison.to_json()} if self.comparison else {}
        cut = {"early_cut": self.early_cut.to_json()} if self.early_cut else {}
        return {
            "version": VERSION,
            "kind": self.kind,
            "model": self.model,
            "modes": {mode: profile.to_json() for mode, profile in self.modes.items()},
            "feeds_spans": self.feeds_spans,
            **compared,
            **cut,
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `to_json` gave.

        Raises:
            ProfileError: `data` is no profile of this version; the message says why.
        """
        if not isinstance(data, Mapping):
            raise ProfileError("A gate profile must be a JSON object.")
        fields = cast("Mapping[str, Any]", data)
        if fields.get("version") != VERSION:
            raise ProfileError(
                f"The profile has version {fields.get('version')!r}; this one reads {VERSION}."
            )
        modes, provenance = fields.get("modes"), fields.get("provenance", {})
        if not isinstance(modes, Mapping) or not isinstance(provenance, Mapping):
            raise ProfileError("`modes` and `provenance` of a gate profile must be JSON objects.")
        comparison, early_cut = fields.get("comparison"), fields.get("early_cut")
        return cls(
            kind=cast("ProfileKind", fields.get("kind")),
            model=str(fields.get("model", "")),
            modes={
                mode: mode_profile_from_json(profile)
                for mode, profile in cast("Mapping[Mode, Any]", modes).items()
            },
            feeds_spans=bool(fields.get("feeds_spans", True)),
            comparison=None if comparison is None else comparison_from_json(comparison),
            early_cut=None if early_cut is None else EarlyCut.from_json(early_cut),
            provenance=cast("Mapping[str, Any]", provenance),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the profile as JSON; a reader never sees half of it.

        Raises:
            ProfileError: its provenance is not plain JSON, or the file cannot be written.
        """
        write_profile(path, self.to_json(), "gate profile")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a profile that `save` wrote.

        Raises:
            ProfileError: the file is missing or no gate profile; one line that says which.
        """
        return read_profile(path, cls.from_json, "gate profile")
