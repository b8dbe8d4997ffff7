"""What a student learns from: a question with its answer and the rationale that leads to it, one JSON object a line."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from adaptive_reasoner.decoding.order_texts import Order
from adaptive_reasoner.errors import InvalidInputError
from adaptive_reasoner.traces.lines import placed_lines

Split = Literal["train", "calibration", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillExample:
    """One worked answer.

    Attributes:
        question: as a user asked it.
        answer: the short answer, without its work.
        rationale: the work that leads to it.
        order: the one that suits this question: think first where it was hard.
        weight: of its loss, 1 for an ordinary example.
        reasons: why it weighs more: "disagreement", "escalation", "refinement".
        verified: True where a verifier found it right; None where there was none.
        source: "teacher:NAME" or "run:ID".
        split: decided by the question alone.
    """

    question: str
    answer: str
    rationale: str
    order: Order = "think_first"
    weight: float = 1.0
    reasons: tuple[str, ...] = ()
    verified: bool | None = None
    source: str = ""
    split: Split = "train"


_Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


class _Line(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    question: _Text
    answer: _Text
    rationale: _Text
    order: Order = "think_first"
    weight: float = Field(default=1.0, gt=0)
    reasons: tuple[str, ...] = ()
    verified: bool | None = None
    source: str = ""
    split: Split = "train"


def read_examples(*paths: str | Path) -> list[DistillExample]:
    """Read JSON Lines of worked answers (`.gz` too); a line needs question, answer and rationale.

    Raises:
        InvalidInputError: a file cannot be read, a line is no worked answer, or there are none.
    """
    found = [_parse(line, place) for path in paths for place, line in placed_lines(path, "worked answers")]
    if not found:
        raise InvalidInputError(f"There is no worked answer in {', '.join(map(str, paths))}.")
    return found


def read_split(folder: Path, split: Split) -> list[DistillExample]:
    """Read one split of a dataset folder.

    Raises:
        InvalidInputError: there is no such file, or it cannot be used.
    """
    path = folder / f"{split}.jsonl"
    if not path.is_file():
        raise InvalidInputError(
            f"{folder} holds no {path.name}; `adaptive-reasoner train dataset` writes one."
        )
    return read_examples(path)


def write_examples(path: Path, examples: Iterable[DistillExample]) -> None:
    """Write worked answers as JSON Lines, whole or not at all."""
    write_rows(path, [asdict(example) for example in examples])


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as JSON Lines in one move; there may be none."""
    draft = path.with_name(f".{path.name}.partial")
    text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _parse(line: bytes, place: str) -> DistillExample:
    try:
        data: Any = json.loads(line)
        checked = _Line.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInputError(f"{place} is no worked answer: {where}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{place} is not JSON: {error}.") from error
    return DistillExample(**checked.model_dump())
