"""A student is put in place whole, with profiles of its own, and can be taken back."""

import json

import pytest
from recorded_runs import judged, run

from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.errors import ProfileError
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.traces.labels import label_runs
from adaptive_reasoner.training.flywheel.policy import Policy
from adaptive_reasoner.training.flywheel.shipping import in_use, ship_student
from adaptive_reasoner.training.flywheel.turn import own_runs
from adaptive_reasoner.triage.shipped import shipped_estimator

GATE = profile_for("adaptive-reasoner-embedded")
TRIAGE = shipped_estimator("embedded")


@pytest.fixture
def trained(tmp_path):
    folder = tmp_path / "trained"
    folder.mkdir()
    for name in ("model.npz", "model.json"):
        (folder / name).write_text(name)
    return folder


def test_an_empty_folder_has_nothing_in_use(tmp_path):
    used = in_use(tmp_path)
    assert (used.model, used.profiles, used.gate, used.triage) == (None, tmp_path, None, None)


def test_a_student_brings_its_own_gate_and_triage(trained, tmp_path):
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    GATE.save(profiles / "gate.json")
    own, pointer = ship_student(trained, Policy(GATE, TRIAGE), profiles)
    assert (own, pointer) == (profiles / "student-1", profiles / "student.json")
    used = in_use(profiles)
    assert used.model == f"student:{own}"
    assert (used.gate.model, used.triage.pair) == ("student:student-1", "student:student-1")
    assert (own / "model.npz").read_text() == "model.npz"
    assert GATE.load(profiles / "gate.json").model == GATE.model


def test_the_next_student_stands_beside_the_one_before(trained, tmp_path):
    for _ in range(2):
        ship_student(trained, Policy(GATE, None), tmp_path)
    assert in_use(tmp_path).student == tmp_path / "student-2"
    assert in_use(tmp_path).triage is None
    (tmp_path / "student.json.before").replace(tmp_path / "student.json")
    assert in_use(tmp_path).student == tmp_path / "student-1"


@pytest.mark.parametrize(
    "content", ['{"student": "../elsewhere"}', '{"student": 1}', "[]", '{"student": "gone"}']
)
def test_a_pointer_that_leads_nowhere_is_told(content, tmp_path):
    (tmp_path / "student.json").write_text(content)
    with pytest.raises(ProfileError, match="student"):
        in_use(tmp_path)


def test_a_student_that_cannot_be_copied_leaves_the_one_before_in_use(trained, tmp_path):
    profiles = tmp_path / "profiles"
    ship_student(trained, Policy(GATE, None), profiles)
    (trained / "model.json").unlink()
    with pytest.raises(ProfileError, match="Cannot copy"):
        ship_student(trained, Policy(GATE, None), profiles)
    assert json.loads((profiles / "student.json").read_text()) == {"student": "student-1"}


def test_only_its_own_runs_tell_of_a_student():
    runs = label_runs(
        [run(1, judged("fast", "accept"), models=["student:student-1"]), run(2, judged("fast", "accept"))], []
    )
    assert [one.record["run_id"] for one in own_runs(runs, "student:profiles/student-1")] == ["run-1"]
    assert len(own_runs(runs, None)) == 2


def test_a_student_answers_under_its_own_name(tmp_path):
    from adaptive_reasoner.embedded.student import EmbeddedStudent

    model = EmbeddedStudent(runtime=shipped_runtime(), model_name="student:student-1")
    assert model.invoke("What is 2 + 3?").response_metadata["model_name"] == "student:student-1"
