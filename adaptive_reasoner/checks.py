"""Checks of a setting's value, each with one error that names the setting and what it may be."""

import math
import re
from typing import Any, cast

from adaptive_reasoner.errors import ConfigurationError


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """One of these."""
    if value not in choices:
        raise ConfigurationError(f"{name} is {value!r}; use one of: {', '.join(choices)}.")


def check_range(name: str, value: Any, low: float, high: float) -> None:
    """Between `low` and `high`; a whole number where these are whole."""
    kinds = int if isinstance(low, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "whole number" if kinds is int else "number"
        raise ConfigurationError(f"{name} is {value!r}; it must be a {kind} between {low} and {high}.")


def check_positive(name: str, value: Any, *, whole: bool = False) -> None:
    """Greater than 0, or None."""
    if value is None:
        return
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value) or value <= 0:
        kind = "whole number" if whole else "number"
        raise ConfigurationError(f"{name} is {value!r}; it must be a {kind} greater than 0, or None.")


def check_method(name: str, value: Any, method: str, expected: str) -> None:
    """An object that has this method; not the class of one."""
    if isinstance(value, type) or not callable(getattr(value, method, None)):
        raise ConfigurationError(f"{name} is {value!r}, which has no {method}(); use {expected}.")


def check_patterns(name: str, patterns: Any) -> None:
    """A list or a tuple of regular expressions."""
    several: list[Any] = [*cast("list[Any]", patterns)] if isinstance(patterns, list | tuple) else [None]
    if not all(isinstance(pattern, str) for pattern in several):
        raise ConfigurationError(f"{name} is {patterns!r}; give a tuple of regular expressions.")
    for pattern in several:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ConfigurationError(f"{name}: {pattern!r} is not a regular expression: {error}.") from error
