"""What the engine and each request say about guidance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from adaptive_reasoner.decoding.schedules import AlphaSchedule, ConstantAlpha, WarmupAlpha
from adaptive_reasoner.errors import ConfigurationError

SECTION = "thinklogit"  # of vLLM's additional_config
ALPHA, WARMUP = "thinklogit_alpha", "thinklogit_warmup_tokens"  # of a request's extra_args
_FIELDS = {"expert", "base", "alpha", "warmup_tokens", "nucleus"}


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The engine's guiders.

    Attributes:
        expert: folder or hub name of the tuned guider.
        base: of the guider before tuning.
        alpha: of requests that don't name their own; 0: only those that do are guided.
        warmup_tokens: likewise.
        nucleus: plausibility mask, see `Combination`.
    """

    expert: str
    base: str
    alpha: float = 1.0
    warmup_tokens: int = 0
    nucleus: float | None = None


def engine_settings(additional: Any) -> EngineSettings:
    """Reads vLLM's `additional_config`.

    Raises:
        ConfigurationError: it lacks the guiders, or holds something unknown.
    """
    section: Any = (
        cast("Mapping[str, Any]", additional).get(SECTION) if isinstance(additional, Mapping) else None
    )
    given = cast("dict[str, Any]", section) if isinstance(section, dict) else {}
    unknown = sorted(set(given) - _FIELDS)
    if unknown or not all(isinstance(given.get(name), str) for name in ("expert", "base")):
        fault = f"unknown: {', '.join(unknown)}" if unknown else "expert and base must name two models"
        raise ConfigurationError(
            f'--additional-config must hold {{"{SECTION}": {{"expert": FOLDER, "base": FOLDER, "alpha": 1.0}}}}; '
            f"{fault}."
        )
    return EngineSettings(**given)


def request_schedule(settings: EngineSettings, extra: Mapping[str, Any] | None) -> AlphaSchedule | None:
    """How one request is guided; None: it is not.

    Raises:
        ConfigurationError: its own strength or warm-up is no finite number.
    """
    check_request(extra)
    given = extra or {}
    alpha, warmup = given.get(ALPHA, settings.alpha), given.get(WARMUP, settings.warmup_tokens)
    if alpha == 0:
        return None
    return WarmupAlpha(alpha, warmup) if warmup else ConstantAlpha(alpha)


def check_request(extra: Mapping[str, Any] | None) -> None:
    """Refuses a request whose own settings are wrong.

    Raises:
        ConfigurationError: a ValueError, which vLLM turns into a status 400.
    """
    given = extra or {}
    alpha, warmup = given.get(ALPHA, 1.0), given.get(WARMUP, 0)
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not math.isfinite(alpha):
        raise ConfigurationError(f"{ALPHA} must be a finite number, not {alpha!r}.")
    if isinstance(warmup, bool) or not isinstance(warmup, int) or warmup < 0:
        raise ConfigurationError(f"{WARMUP} must be 0 tokens or more, not {warmup!r}.")
