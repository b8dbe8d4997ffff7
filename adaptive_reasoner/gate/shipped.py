"""The profiles that ship with the package, found by the model's name."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

from adaptive_reasoner.gate.profile import GateProfile


def profile_for(model_name: str) -> GateProfile:
    """The shipped profile for a model, or the default one, which says that it is uncalibrated."""
    return closest_profile(model_name, _shipped())


def closest_profile(model_name: str, profiles: Iterable[GateProfile]) -> GateProfile:
    """The profile whose `model` is the longest beginning of `model_name`, or the default one."""
    fitting = [profile for profile in profiles if profile.model and model_name.startswith(profile.model)]
    return max(fitting, key=lambda profile: len(profile.model), default=GateProfile.default())


def usual_deep_tokens(model_name: str) -> float | None:
    """Mean tokens that the model wrote when it thought, over the problems that its gate was calibrated on.

    None where no profile of the model ships, or its provenance does not say.
    """
    found: Any = profile_for(model_name).provenance
    for key in ("modes", "deep", "tokens"):
        found = cast("Mapping[str, Any]", found).get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


@cache
def _shipped() -> tuple[GateProfile, ...]:
    folder = files("adaptive_reasoner.gate") / "profiles"
    found = folder.iterdir() if folder.is_dir() else ()
    documents = sorted(
        (entry for entry in found if entry.name.endswith(".json")), key=lambda entry: entry.name
    )
    return tuple(GateProfile.from_json(json.loads(entry.read_text(encoding="utf-8"))) for entry in documents)
