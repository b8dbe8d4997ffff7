"""Logit arithmetic: a small pair of models makes a larger one think, without training it (THINKLOGIT)."""

from adaptive_reasoner.decoding.combination import Combination, combine_logits
from adaptive_reasoner.decoding.schedules import AlphaSchedule, ConstantAlpha, WarmupAlpha
from adaptive_reasoner.decoding.vocabulary_map import VocabularyMap, require_same_tokens

__all__ = [
    "AlphaSchedule",
    "Combination",
    "ConstantAlpha",
    "VocabularyMap",
    "WarmupAlpha",
    "combine_logits",
    "require_same_tokens",
]
