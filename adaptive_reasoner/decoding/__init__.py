"""Logit arithmetic: a small pair of models makes a larger one think, without training it (THINKLOGIT).

The arithmetic needs NumPy alone. What runs models needs the extra `local`, and loads on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from adaptive_reasoner.decoding.combination import Combination, combine_logits
from adaptive_reasoner.decoding.local_options import LocalOptions
from adaptive_reasoner.decoding.repetition import stuck_rows
from adaptive_reasoner.decoding.rerank import RerankedToken, next_logprobs, rerank_first_token
from adaptive_reasoner.decoding.schedules import AlphaSchedule, BoundedAlpha, ConstantAlpha, WarmupAlpha
from adaptive_reasoner.decoding.think_options import ThinkOptions
from adaptive_reasoner.decoding.vocabulary_map import VocabularyMap, require_same_tokens
from adaptive_reasoner.errors import MissingExtraError

if TYPE_CHECKING:
    from adaptive_reasoner.decoding.guided_chat_model import GuidedChatModel
    from adaptive_reasoner.decoding.local_chat_model import LocalChatModel
    from adaptive_reasoner.decoding.student_chat_model import StudentChatModel
    from adaptive_reasoner.decoding.think_processor import ThinkLogitsProcessor

__all__ = [
    "AlphaSchedule",
    "BoundedAlpha",
    "Combination",
    "ConstantAlpha",
    "GuidedChatModel",
    "LocalChatModel",
    "LocalOptions",
    "RerankedToken",
    "StudentChatModel",
    "ThinkLogitsProcessor",
    "ThinkOptions",
    "VocabularyMap",
    "WarmupAlpha",
    "combine_logits",
    "next_logprobs",
    "require_same_tokens",
    "rerank_first_token",
    "stuck_rows",
]

_WITH_TORCH = {
    "GuidedChatModel": "guided_chat_model",
    "LocalChatModel": "local_chat_model",
    "StudentChatModel": "student_chat_model",
    "ThinkLogitsProcessor": "think_processor",
}


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"adaptive_reasoner.decoding.{_WITH_TORCH[name]}")
    except ImportError as error:
        raise MissingExtraError(
            f'{name} needs the extra "local": pip install "adaptive-reasoner[local]".'
        ) from error
    return getattr(module, name)
