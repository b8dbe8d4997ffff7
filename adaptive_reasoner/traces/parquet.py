"""Rows as a Parquet file, for a data frame or a warehouse."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

_BATCH = 10_000  # rows that are in memory at a time
Row = Mapping[str, Any]


def write_parquet(rows: Iterable[Row], path: Path, kinds: Mapping[str, type] | None = None) -> int:
    """Write rows to a file, which is there whole or not at all; returns how many.

    Args:
        rows: flat, each with the same columns.
        path: replaced if it exists.
        kinds: bool, int, float or str for each column; None infers them, with all rows in memory.

    Raises:
        MissingExtraError: pyarrow is not installed.
        ConfigurationError: the file cannot be written.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError('Parquet needs the extra "traces": pip install "adaptive-reasoner[traces]".')
    partial = path.with_name(f".{path.name}.partial")
    try:
        count = _write(rows, partial, kinds)
        partial.replace(path)
    except OSError as error:
        raise ConfigurationError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _write(rows: Iterable[Row], path: Path, kinds: Mapping[str, type] | None) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    arrow: Any = pa
    writing: Any = parquet  # both without complete types
    if kinds is None:
        table = arrow.Table.from_pylist([dict(row) for row in rows])
        writing.write_table(table, path, compression="zstd")
        return int(table.num_rows)
    of_kind = {bool: arrow.bool_(), int: arrow.int64(), float: arrow.float64(), str: arrow.string()}
    schema = arrow.schema([(name, of_kind[kind]) for name, kind in kinds.items()])
    source, count = iter(rows), 0
    with writing.ParquetWriter(path, schema, compression="zstd") as writer:
        while some := list(islice(source, _BATCH)):
            writer.write_table(arrow.Table.from_pylist(some, schema=schema))
            count += len(some)
    return count
