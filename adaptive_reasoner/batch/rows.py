"""The rows of a batch: a question, a conversation, or a line of OpenAI's Batch API."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from adaptive_reasoner.openai_shapes import Json
from adaptive_reasoner.traces.lines import placed_lines

URL = "/v1/chat/completions"
_SHAPES = (
    'a row has a "question", "messages", or the "custom_id", "method", "url" and "body" of OpenAI\'s batches'
)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One row of the input.

    Attributes:
        row: its place among the rows that are not empty, from 1.
        digest: of its bytes, hexadecimal: tells that the input is still the same.
        custom_id: what the input calls it; need not be unique.
        body: of the request; None where the row cannot be read.
        problem: why it cannot be read.
    """

    row: int
    digest: str
    custom_id: str | None = None
    body: Json | None = None
    problem: str | None = None


def read_rows(path: Path, model: str) -> Iterator[BatchRow]:
    """Every row of a JSON Lines file (`.gz` too); one that cannot be read says so and ends nothing.

    Args:
        path: the file.
        model: who answers where a row names no model.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    for row, (_, line) in enumerate(placed_lines(path, "batch"), 1):
        digest = hashlib.sha256(line.strip()).hexdigest()[:16]
        try:
            content: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield BatchRow(row, digest, problem=f"The row is no JSON: {error}.")
            continue
        yield _row(row, digest, content, model)


def _row(row: int, digest: str, content: Any, model: str) -> BatchRow:
    if not isinstance(content, dict):
        return BatchRow(row, digest, problem=f"The row is no JSON object; {_SHAPES}.")
    given = cast("Json", content)
    name = given.get("custom_id", given.get("id"))
    custom_id = None if name is None else str(name)
    body = _body(given)
    if isinstance(body, str):
        return BatchRow(row, digest, custom_id, problem=body)
    # A batch writes whole answers.
    whole = {key: value for key, value in body.items() if key not in ("stream", "stream_options")}
    return BatchRow(row, digest, custom_id, {"model": model, **whole})


def _body(given: Json) -> Json | str:
    """The request's body, or why there is none."""
    if "body" in given:
        if given.get("url", URL) != URL or given.get("method", "POST") != "POST":
            return f"A batch row goes by POST to {URL}, not by {given.get('method')} to {given.get('url')}."
        body = given["body"]
        return cast("Json", body) if isinstance(body, dict) else "The row's body is no JSON object."
    if isinstance(given.get("messages"), list):
        return {key: value for key, value in given.items() if key not in ("id", "custom_id")}
    if isinstance(given.get("question"), str):
        wishes = {key: given[key] for key in ("model", "adaptive_reasoning") if key in given}
        return {"messages": [{"role": "user", "content": given["question"]}], **wishes}
    return f"The row asks nothing; {_SHAPES}."
