import pytest

from adaptive_reasoner.gate import GateProfile, profile_for
from adaptive_reasoner.gate.shipped import closest_profile

PROFILES = [
    GateProfile(kind="calibrated", model=model, modes={}) for model in ("gpt-4o", "gpt-4o-mini", "llama", "")
]


@pytest.mark.parametrize(
    ("model_name", "model", "kind"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o", "calibrated"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini", "calibrated"),
        ("llama", "llama", "calibrated"),
        ("llam", "", "default"),
        ("", "", "default"),
    ],
)
def test_the_longest_beginning_of_the_name_wins(model_name: str, model: str, kind: str):
    profile = closest_profile(model_name, PROFILES)

    assert (profile.model, profile.kind) == (model, kind)


def test_an_unknown_model_gets_the_default_profile():
    assert profile_for("nobody-knows-this").kind == "default"
    assert profile_for("").kind == "default"
