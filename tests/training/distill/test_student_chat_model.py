"""A distilled student as a chat model: it chooses its order, and the graph uses it at once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="local models need the extra `local`")
for needed in ("transformers", "tokenizers", "accelerate", "peft", "matplotlib"):
    pytest.importorskip(needed, reason="training needs the extra `train`")

from adaptive_reasoner import build_reasoning_graph  # noqa: E402
from adaptive_reasoner.decoding.student_chat_model import StudentChatModel  # noqa: E402
from adaptive_reasoner.errors import ConfigurationError  # noqa: E402
from adaptive_reasoner.training.distill.directory import (  # noqa: E402
    DirectoryStudentConfig,
    train_directory_student,
)

pytestmark = [
    pytest.mark.train,
    # peft asks transformers by a name that transformers renamed.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]


@pytest.fixture(scope="module")
def student(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[Path], Path], tiny_dataset: Path
) -> Path:
    folder = tmp_path_factory.mktemp("student")
    config = DirectoryStudentConfig(
        data=tiny_dataset, model=str(tiny_model(folder / "untaught")), directory=folder / "taught", epochs=20.0,
        rows=16, learning_rate=1e-2, answer_tokens=8, think_tokens=12, perceived=12,
    )  # fmt: skip
    return train_directory_student(config)


def with_bias(student: Path, folder: Path, bias: float) -> Path:
    """The student with a perception that always says the same."""
    folder.mkdir()
    for path in student.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    about = json.loads((folder / "student.json").read_text())
    about["perception"] |= {"bias": bias, "weights": [0.0] * 32}
    (folder / "student.json").write_text(json.dumps(about))
    return folder


def test_thinking_off_stops_after_the_answer(student: Path) -> None:
    said = StudentChatModel(model=str(student), thinking="off").invoke("copy 4")
    assert str(said.text).strip() == "Answer: 4"
    assert said.response_metadata["order"] == "answer_first"
    assert said.usage_metadata["output_tokens"] == 3


def test_answer_first_goes_on_to_the_rationale(student: Path) -> None:
    said = StudentChatModel(model=str(student)).invoke("copy 4", thinking="answer_first")
    assert str(said.text).split() == ["Answer:", "4", "Because:", "so", "4"]


def test_thinking_on_works_first(student: Path) -> None:
    said = StudentChatModel(model=str(student)).invoke("copy 4", thinking="on")
    assert str(said.text).strip() == "Answer: 4"
    assert [block["reasoning"].strip() for block in said.content_blocks if block["type"] == "reasoning"] == [
        "so 4"
    ]
    assert said.response_metadata["order"] == "think_first"


@pytest.mark.parametrize(("bias", "order"), [(1.0, "think_first"), (-1.0, "answer_first")])
def test_auto_follows_perception(student: Path, tmp_path: Path, bias: float, order: str) -> None:
    model = StudentChatModel(model=str(with_bias(student, tmp_path / "biased", bias)))
    assert model.invoke("add 1 2").response_metadata["order"] == order


def test_log_probabilities_cover_the_text(student: Path) -> None:
    said = StudentChatModel(model=str(student), thinking="off").invoke(
        "copy 4", logprobs=True, top_logprobs=2
    )
    entries = said.response_metadata["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == said.text
    assert all(len(entry["top_logprobs"]) == 2 for entry in entries)


def test_a_stream_parts_thought_and_answer(student: Path) -> None:
    model = StudentChatModel(model=str(student), thinking="on", logprobs=True)
    chunks = list(model.stream("copy 4"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    asked = model.invoke("copy 4")
    assert whole.text == asked.text
    assert whole.usage_metadata == asked.usage_metadata
    spelled = "".join(entry["token"] for entry in whole.response_metadata["logprobs"]["content"])
    thought = "".join(entry["token"] for entry in whole.response_metadata["reasoning_logprobs"]["content"])
    assert (spelled.strip(), thought.strip()) == ("Answer: 4", "so 4")


def test_the_graph_takes_a_student_at_once(student: Path) -> None:
    graph = build_reasoning_graph(StudentChatModel(model=str(student)))
    fast = graph.invoke({"messages": [("user", "copy 4")]}, context={"thinking": "off"})
    deep = graph.invoke({"messages": [("user", "copy 4")]}, context={"thinking": "on"})
    assert str(fast["messages"][-1].text).strip() == "Answer: 4"
    assert fast["reasoning"]["rounds"][0]["signal"]["kind"] == "logprobs"
    assert deep["reasoning"]["route"] == "deep"
    assert str(deep["messages"][-1].text).strip() == "Answer: 4"
    assert deep["reasoning"]["rounds"][0]["signal"]["kind"] == "logprobs"


def test_a_folder_without_a_student_is_refused(tmp_path: Path, tiny_model: Callable[[Path], Path]) -> None:
    with pytest.raises(ConfigurationError, match=r"no student .*student\.json"):
        StudentChatModel(model=str(tiny_model(tmp_path / "plain")))


def test_a_soft_prompt_chooses_too(
    tmp_path: Path, tiny_model: Callable[[Path], Path], tiny_dataset: Path
) -> None:
    settings: dict[str, Any] = {"answer_tokens": 8, "think_tokens": 12, "perceived": 12, "soft_tokens": 4}
    config = DirectoryStudentConfig(
        data=tiny_dataset, model=str(tiny_model(tmp_path / "untaught")), directory=tmp_path / "taught", epochs=1.0,
        perception="soft_prompt", **settings,
    )  # fmt: skip
    model = StudentChatModel(model=str(train_directory_student(config)))
    assert model.invoke("copy 4", max_tokens=4).response_metadata["order"] in {"think_first", "answer_first"}
