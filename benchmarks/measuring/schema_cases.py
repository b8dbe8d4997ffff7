"""JSON values that keep to a schema of an OpenAPI document, or break it in one place; thousands a second.

hypothesis-jsonschema builds its strategies anew for each object that it draws, which takes a tenth of a second for a
chat completion. What these documents use is read here: types, bounds, enums, patterns, branches, and rules of the form
"where this field is, that one must be" (`dependentSchemas`).
"""

import copy
import random
import re
import string
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
# How often an optional field, a null, an unknown field, a value at its bound.
_OPTIONAL, _NULL, _UNKNOWN, _AT_BOUND = 0.12, 0.05, 0.03, 0.25
_ODD = (
    "",
    " ",
    "\n",
    "\t\x0b\x1f",
    "é",
    "漢字",
    "\U0001f600",
    "\u202e",
    "x" * 3000,
    "' OR 1=1 --",
    "{{}}",
    "%s",
)
_ANYTHING: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 0.5, -0.0, 1e308, 1e-320, "", "1", "x", [], [[]], {},
    {"": None}, [None], "\u0000", "a" * 5000,
)  # fmt: skip
_CLASS = re.compile(r"\^?(\w*?)\[([^\]]+)\]\{(\d+)(?:,(\d+))?\}\$?\Z")


class Cases:
    """Values for the schemas of one document.

    Args:
        document: with its `components`.
        chance: where all choices come from.
    """

    def __init__(self, document: Mapping[str, Any], chance: random.Random) -> None:
        self._document, self._chance = document, chance

    def conforming(self, schema: Any) -> Any:
        """A value that keeps to `schema`; examples that stand beside it are used, too."""
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        for name in ("anyOf", "oneOf"):
            if name in schema:
                return self.conforming(self._branch(schema[name]))
        makers: dict[str, Callable[[Json], Any]] = {
            "object": self._object, "array": self._array, "string": self._string, "integer": self._integer,
            "number": self._number, "boolean": lambda _: self._chance.random() < 0.5, "null": lambda _: None,
        }  # fmt: skip
        kind = schema.get("type")
        return makers[kind](schema) if kind in makers else self._anything()

    def broken(self, schema: Any) -> Any:
        """A value that keeps to `schema` but for one place, where anything stands, or nothing."""
        value = self.conforming(schema)
        places = list(_places(value))
        if not places:
            return self._anything()
        holder, key = self._chance.choice(places)
        if isinstance(holder, dict) and self._chance.random() < 0.25:
            del holder[key]
        else:
            holder[key] = self._anything()
        return value

    def _anything(self) -> Any:
        return copy.deepcopy(self._chance.choice(_ANYTHING))

    def _resolved(self, schema: Any) -> Json:
        if schema is True or schema is None:
            return {}
        while "$ref" in schema:
            found: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def _branch(self, branches: list[Any]) -> Any:
        others = [one for one in branches if one.get("type") != "null"]
        if len(others) < len(branches) and self._chance.random() < _NULL:
            return {"type": "null"}
        return self._chance.choice(others)

    def _object(self, schema: Json) -> Json:
        known, required = schema.get("properties", {}), schema.get("required", [])
        names = [name for name in known if name in required or self._chance.random() < _OPTIONAL]
        if schema.get("minProperties", 0) > len(names):
            names.append(self._chance.choice(list(known)))
        made = {name: self.conforming(known[name]) for name in names}
        more = schema.get("additionalProperties", True)
        if more is not False and (not known or self._chance.random() < _UNKNOWN):
            for _ in range(self._chance.randint(0, 2)):
                made[self._text(1, 12)] = self.conforming(more)
        for name, rule in schema.get("dependentSchemas", {}).items():
            if name in made:
                self._keep(rule, made, known)
        return made

    def _keep(self, rule: Json, made: Json, known: Json) -> None:
        """Make one rule true: its last branch, where none of them holds."""
        branches = rule.get("anyOf", [rule])
        if any(_holds(branch, made) for branch in branches):
            return
        for name, wanted in branches[-1].get("properties", {}).items():
            own = next((one for one in known[name].get("anyOf", ()) if one.get("type") == "array"), {})
            made[name] = self.conforming({**own, **wanted})

    def _array(self, schema: Json) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 5)
        count = self._chance.randint(least, max(least, min(most, least + self._chance.choice((0, 1, 2, 4)))))
        return [self.conforming(schema.get("items")) for _ in range(count)]

    def _string(self, schema: Json) -> str:
        if pattern := schema.get("pattern"):
            return self._of_pattern(pattern)
        return self._text(schema.get("minLength", 0), schema.get("maxLength", 40))

    def _of_pattern(self, pattern: str) -> str:
        start, letters, least, most = _CLASS.match(pattern).groups()  # type: ignore[union-attr]
        allowed = re.findall(f"[{letters}]", string.printable)
        count = self._chance.randint(int(least), min(int(most or least), 40))
        return start + "".join(self._chance.choices(allowed, k=count))

    def _text(self, least: int, most: int) -> str:
        if self._chance.random() < _AT_BOUND:
            odd = self._chance.choice(_ODD)
            if least <= len(odd):
                return odd
        letters = string.ascii_letters + string.digits + " .,?*+-/=_"
        return "".join(self._chance.choices(letters, k=self._chance.randint(max(1, least), max(1, most))))

    def _integer(self, schema: Json) -> int:
        low, high = int(schema.get("minimum", -(2**40))), int(schema.get("maximum", 2**40))
        if "exclusiveMaximum" in schema:
            high = min(high, int(schema["exclusiveMaximum"]) - 1)
        if self._chance.random() < _AT_BOUND:
            return self._chance.choice((low, high))
        return self._chance.randint(low, min(high, low + self._chance.choice((3, 50, 10**6))))

    def _number(self, schema: Json) -> float:
        low, high = schema.get("minimum", schema.get("exclusiveMinimum", -1e9)), schema.get("maximum", 1e9)
        if self._chance.random() < _AT_BOUND and "exclusiveMinimum" not in schema:
            return self._chance.choice((low, high))
        return self._chance.uniform(low, high) or high


def _holds(schema: Json, value: Any) -> bool:
    """Whether `value` keeps to a branch of a rule; of schemas only what rules are written in."""
    kinds = {"null": value is None, "array": isinstance(value, list)}
    own = (
        "const" not in schema or value == schema["const"],
        "enum" not in schema or value in schema["enum"],
        kinds.get(schema.get("type", ""), True),
        not isinstance(value, list) or len(value) >= schema.get("minItems", 0),
    )
    if not all(own) or not isinstance(value, dict):
        return all(own) and "required" not in schema
    within = schema.get("properties", {})
    return all(name in value for name in schema.get("required", ())) and all(
        _holds(one, value[name]) for name, one in within.items() if name in value
    )


def _places(value: Any) -> Any:
    """Every (holder, key) within a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from _places(inner)
