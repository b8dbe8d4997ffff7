"""Which of the tools that a call brings the embedded model can use, and whether it must.

It writes formulas and nothing else, so a tool that it can call is a calculator: a function whose only required
parameter is a text, where the parameter is called like a formula (`expression`, `formula`, `equation`,
`calculation`, …) or the function like a calculator (`calc…`, `…math…`, `…arithmetic…`). Others are left alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from adaptive_reasoner.errors import ConfigurationError

_PARAMETERS = re.compile(
    r"(math_?|arithmetic_?)?(expr|expression|formula|equation|calculation|sum)(_text)?", re.IGNORECASE
)
_FUNCTIONS = re.compile(r"calc|math|arithmetic", re.IGNORECASE)
_NO_MATTER = frozenset({"auto", None})
_ANY = frozenset({"any", "required", True})
_NEVER = frozenset({"none", False})
_HINT = (
    "the embedded model writes formulas only, so it calls tools with one text parameter named like "
    "`expression`. Bind a calculator, or use another model."
)


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool that the model may call.

    Attributes:
        name: of the tool.
        parameter: takes the formula.
        must_call: the caller's `tool_choice` asks for a call.
    """

    name: str
    parameter: str
    must_call: bool = False


def find_offer(tools: Sequence[Mapping[str, Any]], choice: Any) -> ToolOffer | None:
    """The tool that may be called; None where none can be, or none is wanted.

    Args:
        tools: in OpenAI's shape.
        choice: `tool_choice`: "auto", "none", "any" or "required", a tool's name, or OpenAI's object that names one.

    Raises:
        ConfigurationError: a call is asked for that this model cannot make.
    """
    wanted = _name_in(choice)
    if not tools or wanted in _NEVER:
        return None
    functions = [cast("Mapping[str, Any]", tool.get("function", tool)) for tool in tools]
    offers = {
        str(function["name"]): parameter
        for function in functions
        if (parameter := _formula_parameter(function)) is not None
    }
    if wanted in _NO_MATTER or wanted in _ANY:
        return _first(offers, [str(function["name"]) for function in functions], must_call=wanted in _ANY)
    if wanted not in {function["name"] for function in functions}:
        raise ConfigurationError(f"tool_choice names {wanted!r}, which is none of the bound tools.")
    if wanted not in offers:
        raise ConfigurationError(f"tool_choice asks for {wanted!r}, but {_HINT}")
    return ToolOffer(wanted, offers[wanted], must_call=True)


def _first(offers: Mapping[str, str], names: Sequence[str], *, must_call: bool) -> ToolOffer | None:
    for name, parameter in offers.items():
        return ToolOffer(name, parameter, must_call)
    if must_call:
        raise ConfigurationError(f"tool_choice asks for a call of {', '.join(names)}, but {_HINT}")
    return None


def _name_in(choice: Any) -> Any:
    """The wish itself, or the name in {"type": "function", "function": {"name": …}}."""
    if not isinstance(choice, Mapping):
        return choice
    fields = cast("Mapping[str, Any]", choice)
    function = cast("Mapping[str, Any]", fields.get("function") or fields)
    return function.get("name") or fields.get("type")


def _formula_parameter(function: Mapping[str, Any]) -> str | None:
    """The parameter that takes a formula, if the function is a calculator."""
    schema = cast("Mapping[str, Any]", function.get("parameters") or {})
    parameters = cast("Mapping[str, Mapping[str, Any]]", schema.get("properties") or {})
    needed = list(cast("Sequence[str]", schema.get("required") or parameters))
    if len(needed) != 1 or parameters.get(needed[0], {}).get("type") != "string":
        return None
    is_calculator = _PARAMETERS.fullmatch(needed[0]) or _FUNCTIONS.search(str(function.get("name", "")))
    return needed[0] if is_calculator else None
