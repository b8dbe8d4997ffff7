"""The section about logs."""

from typing import ClassVar, Literal

from adaptive_reasoner.server.config import Section


class LogsSection(Section):
    """What is logged, on standard error.

    Attributes:
        format: "json", one object a line, or "plain".
        level: the least that is logged.
        requests: a line a request.
    """

    table: ClassVar[str] = "logs"

    format: Literal["json", "plain"] = "plain"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    requests: bool = False
