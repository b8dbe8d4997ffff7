"""Counts in a question's text that say whether it asks to reason or to recall; pure Python, microseconds.

A stronger model gains on questions that describe a case and ask what follows from it (conditions, comparisons,
persons, quantifiers), and little on those that name a term and ask what it is (definitions, "what is", long technical
words, names). These cues have a sign that is known before any fitting. What there is to calculate has none: written
thinking gains most there, another model may gain nothing. See `docs/triage.md`.
"""

import math
import re
from collections.abc import Mapping
from typing import Literal

Sign = Literal[1, 0, -1]

_WORDS_OF: Mapping[str, str] = {
    "negations": "not except least never cannot incorrect false untrue without neither nor",
    "conditions": "if suppose assume assuming when unless given would should could",
    "comparisons": "than more less fewer greater higher lower increase increases increased decrease decreases "
    "decreased rise fall larger smaller",
    "persons": "he she his her him they their man woman boy girl student patient defendant plaintiff",
    "quantifiers": "all any every each some only both none either",
    "sequence": "then after before later first second next until while initially finally",
    "causes": "why because therefore explain cause caused causes result effect lead leads due",
    "amounts": "many much calculate compute determine estimate probability percent ratio rate average total sum",
    "work": "prove proof derive show solve evaluate simplify integral derivative equation theorem algorithm "
    "implement debug refactor optimize design analyze analyse plan schedule minimize maximize complexity",
    "which": "which",
    "definitions": "called known defined refers referred term definition example",
    "whats": "what",
}
_CUE_OF = {word: cue for cue, words in _WORDS_OF.items() for word in words.split()}

# What each feature does to the expected gain; 0: that depends on the pair of models.
SIGNS: Mapping[str, Sign] = {
    "log_words": 1, "negations": 1, "conditions": 1, "comparisons": 1, "persons": 1, "quantifiers": 1, "sequence": 1,
    "causes": 1, "amounts": 1, "work": 1, "which": 1, "quotes": 1, "reasoned_options": 1, "completes": 1,
    "definitions": -1, "whats": -1, "opens_with_what": -1, "long_words": -1, "long_option_words": -1, "names": -1,
    "brevity": -1, "numbers": 0, "option_numbers": 0, "symbols": 0,
}  # fmt: skip
CUES: tuple[str, ...] = tuple(SIGNS)

_WORD = re.compile(r"[A-Za-z']+")
_NUMBER = re.compile(r"\d+")
_HOW_MUCH = re.compile(r"\bhow (?:many|much)\b", re.IGNORECASE)
_OPTION = re.compile(r"^[^\S\n]*+\(?[A-J][.):]\s", re.MULTILINE)
_SYMBOL = re.compile(r"[=+*/^<>\\%$]")
_MARKUP = re.compile(r"\\[a-z]{2,}|\bdef |\bSELECT ")
_MARKUP_SIGNS = ("\\", "def ", "SELECT ")
_REASONED = re.compile(r"\b(?:because|if|unless|since)\b")
_LONGEST = 3_000  # characters that are looked at, half at each end: the question stands at one of them
_LONG_WORD = 8  # letters; longer words are mostly terms
_BRIEF = math.log(15)  # a stem of fewer words states no case


def question_cues(text: str) -> dict[str, float]:
    """Cues of a question with or without lettered options; the keys are `CUES`.

    A calculation without options keeps its length only: whether its words define or compare says nothing about
    how much there is to work out.
    """
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}\n{text[-_LONGEST // 2 :]}"
    stem, options = _split(shown)
    words = _WORD.findall(stem)
    length = math.log1p(len(words)) + math.log(max(len(text), 1) / max(len(shown), 1))
    if not options and _is_calculation(stem):
        return {**dict.fromkeys(CUES, 0.0), "log_words": length}
    counts = dict.fromkeys(_WORDS_OF, 0)
    for word in words:
        cue = _CUE_OF.get(word.lower())
        if cue:
            counts[cue] += 1
    counts["work"] += _formulas(stem)
    cues = {cue: math.log1p(count) for cue, count in counts.items()}
    return {**cues, **_shape(stem, words), **_options(stem, options), "log_words": length}


def _split(text: str) -> tuple[str, str]:
    """Stem and lettered options; one letter alone is no list of options."""
    first = _OPTION.search(text)
    if first is None or _OPTION.search(text, first.end()) is None:
        return text.strip(), ""
    return text[: first.start()].strip(), text[first.start() :]


def _formulas(stem: str) -> int:
    """Signs of formulas and code; the pattern is slow, so that texts without its signs are spared it."""
    signs = stem.count("=") + stem.count("^") + stem.count("$$") + stem.count("```")
    marked = any(sign in stem for sign in _MARKUP_SIGNS)
    return signs + (len(_MARKUP.findall(stem)) if marked else 0)


def _is_calculation(stem: str) -> bool:
    return len(_NUMBER.findall(stem)) > 1 or _HOW_MUCH.search(stem) is not None


def _shape(stem: str, words: list[str]) -> dict[str, float]:
    count = max(len(words), 1)
    return {
        "quotes": float(stem.count('"') > 1),
        "opens_with_what": float(bool(words) and words[0].lower() == "what"),
        "long_words": sum(len(word) > _LONG_WORD for word in words) / count,
        "names": sum(word[0].isupper() for word in words[1:]) / count,
        "brevity": max(0.0, _BRIEF - math.log1p(len(words))),
        "numbers": math.log1p(len(_NUMBER.findall(stem))),
    }


def _options(stem: str, options: str) -> dict[str, float]:
    words = _WORD.findall(options)
    return {
        "completes": float(bool(options) and not stem.endswith(("?", ".", ":"))),
        "reasoned_options": float(bool(_REASONED.search(options))),
        "option_numbers": math.log1p(len(_NUMBER.findall(options))),
        "symbols": math.log1p(len(_SYMBOL.findall(stem)) + len(_SYMBOL.findall(options))),
        "long_option_words": sum(len(word) > _LONG_WORD for word in words) / max(len(words), 1),
    }
