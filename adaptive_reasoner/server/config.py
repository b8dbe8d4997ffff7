"""Settings: a TOML file, the environment over it, the command line over both; checked when the server starts.

Each section is a class of its own and says what it needs; the environment's names are
`ADAPTIVE_REASONER_<SECTION>_<FIELD>`, lists and tables as JSON.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.openai_shapes import Json

PREFIX = "ADAPTIVE_REASONER_"
# Promised under shorter names.
_SHORT = {"ADAPTIVE_REASONER_FAST": ("models", "fast"), "ADAPTIVE_REASONER_DEEP": ("models", "deep")}


class Section(BaseModel):
    """One table of the file; a subclass has a name and fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    table: ClassVar[str]


AnySection = TypeVar("AnySection", bound=Section)


def sections() -> tuple[type[Section], ...]:
    """Every section that there is; a room that has one adds its line here."""
    from adaptive_reasoner.server import settings
    from adaptive_reasoner.server.limits.settings import LimitsSection, TenantsSection
    from adaptive_reasoner.server.logs.settings import LogsSection
    from adaptive_reasoner.server.recording import TracesSection
    from adaptive_reasoner.server.reviews.section import ReviewsSection
    from adaptive_reasoner.server.security.settings import SecuritySection
    from adaptive_reasoner.server.upstream_settings import UpstreamSection

    return (
        settings.ListenSection,
        settings.ModelsSection,
        settings.PolicySection,
        settings.ThreadsSection,
        settings.AnswersSection,
        SecuritySection,
        LimitsSection,
        TenantsSection,
        UpstreamSection,
        LogsSection,
        TracesSection,
        ReviewsSection,
    )


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """All sections, checked."""

    read: Mapping[type[Section], Section]

    def section(self, kind: type[AnySection]) -> AnySection:
        """The settings of one room."""
        return cast("AnySection", self.read[kind])


def load_settings(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    given: Mapping[str, Json] | None = None,
) -> ServerSettings:
    """Read and check all settings.

    Args:
        file: TOML, None: no file.
        environment: the process's own by default.
        given: what the command line sets, by section.

    Raises:
        ConfigurationError: the file cannot be read, or a setting is unknown or wrong; the message names it.
    """
    kinds = {kind.table: kind for kind in sections()}
    tables = _read_file(file, kinds) if file else {}
    environment = os.environ if environment is None else environment
    layers = (tables, _read_environment(environment, kinds), given or {})
    read: dict[type[Section], Section] = {}
    for name, kind in kinds.items():
        values: Json = {}
        for layer in layers:
            values |= layer.get(name, {})
        read[kind] = _checked(kind, values)
    return ServerSettings(read)


def _read_file(file: Path, kinds: Mapping[str, type[Section]]) -> dict[str, Json]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The settings {file} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The settings {file} are no TOML: {error}.") from error
    for name, table in content.items():
        if name not in kinds:
            raise ConfigurationError(f"{file}: there is no section [{name}]{_instead(name, kinds)}.")
        if not isinstance(table, dict):
            raise ConfigurationError(f"{file}: {name} must be a section: [{name}].")
    return content


def _read_environment(environment: Mapping[str, str], kinds: Mapping[str, type[Section]]) -> dict[str, Json]:
    layer: dict[str, Json] = {}
    for variable, (name, field) in _SHORT.items():
        if environment.get(variable):
            layer.setdefault(name, {})[field] = environment[variable]
    for variable, text in environment.items():
        for name, kind in kinds.items():
            start = f"{PREFIX}{name.upper()}_"
            if variable.startswith(start):
                field = variable.removeprefix(start).lower()
                if field not in kind.model_fields:
                    known = _instead(field, kind.model_fields)
                    raise ConfigurationError(f"{variable} is no setting: [{name}] has no {field!r}{known}.")
                layer.setdefault(name, {})[field] = _value(variable, text)
    return layer


def _value(variable: str, text: str) -> Any:
    """Lists and tables are written as JSON; everything else is left to the field's type."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"{variable} is no JSON: {error}.") from error


def _checked(kind: type[Section], values: Json) -> Section:
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in (kind.table, *first["loc"]))
        if first["type"] == "extra_forbidden":
            known = _instead(str(first["loc"][-1]), kind.model_fields)
            raise ConfigurationError(f"There is no setting {path}{known}.") from None
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{path} is {first['input']!r}: {message}.") from None


def _instead(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(sorted(known))}"
