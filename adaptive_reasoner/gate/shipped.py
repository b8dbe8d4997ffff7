"""The profiles that ship with the package, found by the model's name."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from adaptive_reasoner.gate.profile import GateProfile


def profile_for(model_name: str) -> GateProfile:
    """The shipped profile for a model, or the default one, which says that it is uncalibrated."""
    return closest_profile(model_name, _shipped())


def closest_profile(model_name: str, profiles: Iterable[GateProfile]) -> GateProfile:
    """The profile whose `model` is the longest beginning of `model_name`, or the default one."""
    fitting = [profile for profile in profiles if profile.model and model_name.startswith(profile.model)]
    return max(fitting, key=lambda profile: len(profile.model), default=GateProfile.default())


@cache
def _shipped() -> tuple[GateProfile, ...]:
    folder = files("adaptive_reasoner.gate") / "profiles"
    found = folder.iterdir() if folder.is_dir() else ()
    documents = sorted(
        (entry for entry in found if entry.name.endswith(".json")), key=lambda entry: entry.name
    )
    return tuple(GateProfile.from_json(json.loads(entry.read_text(encoding="utf-8"))) for entry in documents)
