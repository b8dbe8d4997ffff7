"""What a token costs: a table that ships with a few well-known models and that the user can replace.

A model that the table does not name has no price: its calls cost an unknown amount, which is never taken for nothing.
"""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from adaptive_reasoner.errors import InvalidInputError

ENVIRONMENT = "ADAPTIVE_REASONER_PRICES"
_MILLION = 1e6
_FORM = '{"model": {"input": 0.15, "output": 0.6}}, in US dollars for a million tokens'
# A snapshot such as gpt-4.1-2025-04-14 or claude-haiku-4-5-20251001 costs what its model costs.
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens.

    Attributes:
        input: of the prompt.
        output: of what is generated, thoughts included.
        cached_input: of the prompt's tokens that the provider had cached; None: the same as `input`.
        cache_write: of the prompt's tokens that the provider caches for later calls; None: the same as `input`.
    """

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None

    def cost(
        self, input_tokens: int, output_tokens: int, read_tokens: int = 0, written_tokens: int = 0
    ) -> float:
        """US dollars of one call.

        Args:
            input_tokens: of the prompt, those of the next two included.
            output_tokens: that were generated.
            read_tokens: of the prompt, found in the provider's cache.
            written_tokens: of the prompt, put into it.
        """
        read = self.input if self.cached_input is None else self.cached_input
        written = self.input if self.cache_write is None else self.cache_write
        fresh = (input_tokens - read_tokens - written_tokens) * self.input
        return (
            fresh + read_tokens * read + written_tokens * written + output_tokens * self.output
        ) / _MILLION

    def worst_cost(self, input_tokens: int, output_tokens: int) -> float:
        """The most that it can come to: nothing is read from the cache, and all is written to it if that costs more."""
        is_dearer = self.cache_write is not None and self.cache_write > self.input
        return self.cost(input_tokens, output_tokens, written_tokens=input_tokens if is_dearer else 0)


FREE = Price(0.0, 0.0)


class PriceTable(Mapping[str, Price]):
    """Prices by the models' names."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self._prices = dict(prices)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "PriceTable":
        """Read `{"model": {"input": 0.15, "output": 0.6, "cached_input": 0.075}, …}`; other keys are notes.

        Raises:
            InvalidInputError: the file is missing, or has another form, or a price is no number of at least 0.
        """
        try:
            document: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInputError(f"Cannot read the prices {path}: {error.strerror}.") from error
        except ValueError as error:
            raise InvalidInputError(f"{path} is no price table such as {_FORM}: {error}.") from error
        return cls(_read_rows(document, str(path)))

    @classmethod
    def shipped(cls) -> "PriceTable":
        """The table that comes with the package; each row names its source and the day it was read."""
        return _shipped()

    @classmethod
    def default(cls) -> "PriceTable":
        """The file that ADAPTIVE_REASONER_PRICES names, which replaces the shipped table; or else that one."""
        path = os.environ.get(ENVIRONMENT)
        return cls.load(path) if path else cls.shipped()

    def price_of(self, model_name: str) -> Price | None:
        """The model's price, a dated snapshot's being its model's; None if it is unknown."""
        return self._prices.get(model_name) or self._prices.get(_SNAPSHOT.sub("", model_name))

    def __getitem__(self, model_name: str) -> Price:
        return self._prices[model_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._prices)

    def __len__(self) -> int:
        return len(self._prices)


@cache
def _shipped() -> PriceTable:
    text = (files("adaptive_reasoner.budget") / "prices.json").read_text(encoding="utf-8")
    return PriceTable(_read_rows(json.loads(text), "prices.json"))


def _read_rows(document: Any, name: str) -> dict[str, Price]:
    if not isinstance(document, dict):
        raise InvalidInputError(f"{name} is no price table such as {_FORM}.")
    rows = cast("dict[str, Any]", document)
    return {model: _read_row(row, f"{name}: {model!r}") for model, row in rows.items()}


def _read_row(row: Any, where: str) -> Price:
    if not isinstance(row, dict) or "input" not in row or "output" not in row:
        raise InvalidInputError(f"{where} is no price; a price table is such as {_FORM}.")
    fields = cast("dict[str, Any]", row)
    known = {name: fields[name] for name in ("cached_input", "cache_write") if fields.get(name) is not None}
    return Price(
        _amount(fields["input"], where),
        _amount(fields["output"], where),
        **{name: _amount(value, where) for name, value in known.items()},
    )


def _amount(value: Any, where: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:
        raise InvalidInputError(
            f"{where} has the price {value!r}; give US dollars for a million tokens, 0 or more."
        )
    return float(value)
