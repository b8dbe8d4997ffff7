"""Small JSON files of what was fitted: written whole or not at all, read with one clear error."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from adaptive_reasoner.errors import ProfileError

Built = TypeVar("Built")


def write_profile(path: str | os.PathLike[str], content: Mapping[str, Any], what: str) -> None:
    """Write `content` as JSON; a reader never sees half of it.

    Args:
        path: the file, replaced if it exists.
        content: plain JSON.
        what: what the file is, for the error: "gate profile".

    Raises:
        ProfileError: `content` is not plain JSON, or the file cannot be written.
    """
    try:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise ProfileError(f"The {what} is not plain JSON: {error}.") from error
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ProfileError(f"Cannot write the {what} to {target}: {error.strerror}.") from error


def read_profile(path: str | os.PathLike[str], build: Callable[[Any], Built], what: str) -> Built:
    """Read what `write_profile` wrote.

    Args:
        path: the file.
        build: from parsed JSON to the object, raising ProfileError where it is none.
        what: what the file should be, for the error.

    Raises:
        ProfileError: the file is missing, no JSON, or something else; one line that says which.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"Cannot read the {what} {path}: {error}.") from error
    try:
        return build(json.loads(text))
    except ProfileError as error:
        raise ProfileError(f"{path} is no {what} that can be used: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{path} is no {what}: it is not JSON ({error}).") from error
