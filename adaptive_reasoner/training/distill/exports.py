"""A dataset in the formats that others train from: OpenAI's chat lines, Hugging Face's prompt and completion."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from adaptive_reasoner.decoding.order_texts import Order, OrderTexts
from adaptive_reasoner.errors import MissingExtraError
from adaptive_reasoner.training.distill.examples import DistillExample, write_rows

DatasetOrder = Literal["think_first", "answer_first", "adaptive"]
DATASET_ORDERS: tuple[DatasetOrder, ...] = get_args(DatasetOrder)
Format = Literal["openai", "hugging_face", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
Row = dict[str, Any]


def order_of(example: DistillExample, wanted: DatasetOrder) -> Order:
    """The order of one example; adaptive takes the one that suits its question."""
    return example.order if wanted == "adaptive" else wanted


def openai_rows(examples: Iterable[DistillExample], wanted: DatasetOrder) -> list[Row]:
    """OpenAI's chat fine-tuning lines; they know no weights, so that a line is repeated round(weight) times."""
    rows: list[Row] = []
    for one in examples:
        first = order_of(one, wanted) == "answer_first"
        said = f"Answer: {one.answer}"
        text = f"{said}\n\nBecause: {one.rationale}" if first else f"{one.rationale}\n\n{said}"
        messages = [{"role": "user", "content": one.question}, {"role": "assistant", "content": text}]
        rows += [{"messages": messages}] * max(1, round(one.weight))
    return rows


def hugging_face_rows(
    examples: Iterable[DistillExample], wanted: DatasetOrder, texts: OrderTexts | None = None
) -> list[Row]:
    """Prompt and completion as conversations, which trl takes, with `messages` beside them and the weight."""
    marks, rows = texts or OrderTexts(), list[Row]()
    for one in examples:
        order = order_of(one, wanted)
        tag = marks.think if order == "think_first" else ""  # an answer that comes first needs no mark
        text = tag + marks.completion(one.answer, one.rationale, order)
        prompt = [{"role": "user", "content": one.question}]
        completion = [{"role": "assistant", "content": text.strip()}]
        rows.append(
            {
                "prompt": prompt, "completion": completion, "messages": prompt + completion, "order": order,
                "weight": one.weight,
            }
        )  # fmt: skip
    return rows


def write_export(path: Path, examples: Sequence[DistillExample], wanted: DatasetOrder, kind: Format) -> None:
    """Write one split in one format, whole or not at all.

    Raises:
        MissingExtraError: Parquet needs pyarrow.
    """
    if kind == "openai":
        write_rows(path, openai_rows(examples, wanted))
    elif kind == "hugging_face":
        write_rows(path, hugging_face_rows(examples, wanted))
    else:
        _write_parquet(path, hugging_face_rows(examples, wanted))


def _write_parquet(path: Path, rows: list[Row]) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(
            'Parquet needs pyarrow: pip install "adaptive-reasoner[traces]" installs the extra "traces".'
        ) from error
    arrow: Any = pa
    writer: Any = parquet
    draft = path.with_name(f".{path.name}.partial")
    writer.write_table(arrow.Table.from_pylist(rows), draft)
    draft.replace(path)
