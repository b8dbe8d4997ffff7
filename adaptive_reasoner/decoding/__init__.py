"""Logit arithmetic: a small pair of models makes a larger one think, without training it (THINKLOGIT).

The arithmetic needs NumPy alone. `ThinkLogitsProcessor` needs the extra `local`, and loads on first use.
"""

from typing import TYPE_CHECKING, Any

from adaptive_reasoner.decoding.combination import Combination, combine_logits
from adaptive_reasoner.decoding.repetition import stuck_rows
from adaptive_reasoner.decoding.schedules import AlphaSchedule, ConstantAlpha, WarmupAlpha
from adaptive_reasoner.decoding.think_options import ThinkOptions
from adaptive_reasoner.decoding.vocabulary_map import VocabularyMap, require_same_tokens
from adaptive_reasoner.errors import MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.decoding.think_processor import ThinkLogitsProcessor

__all__ = [
    "AlphaSchedule",
    "Combination",
    "ConstantAlpha",
    "ThinkLogitsProcessor",
    "ThinkOptions",
    "VocabularyMap",
    "WarmupAlpha",
    "combine_logits",
    "require_same_tokens",
    "stuck_rows",
]


def __getattr__(name: str) -> Any:
    if name != "ThinkLogitsProcessor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from adaptive_reasoner.decoding.think_processor import ThinkLogitsProcessor
    except ImportError as error:
        raise MissingExtraError(
            'ThinkLogitsProcessor needs the extra "local": pip install "adaptive-reasoner[local]".'
        ) from error
    return ThinkLogitsProcessor
