"""When two answers say the same: numbers with their units, choices, and words without their dress."""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Equivalent = Callable[[str, str], bool]

_RELATIVE_TOLERANCE = 1e-6
# Words whose overlap, as a share of the shorter sentence's, makes two sentences around one number the same.
_SHARED_WORDS = 0.5
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_QUANTITY = re.compile(
    rf"(?P<sign>[-+]?)\s*+(?P<currency>[$€£¥]?)\s*+(?P<late_sign>-?)(?P<number>{_DIGITS})"
    r"(?:\s*/\s*(?P<divisor>\d+(?:\.\d+)?))?\s*(?P<unit>%|[^\W\d_][^\d=+*/^<>]*)?"
)
_EMBEDDED = re.compile(
    rf"(?<![\w.:/^-])(?P<whole>(?:[-+](?=[$€£¥\d.]))?[$€£¥]?\s?(?:{_DIGITS})(?:\s?/\s?\d+)?\s?(?:%|[^\W\d_]+)?)(?![:/^]?\d)"
)
_NO_PROSE = re.compile(r"[\d+*/=^<>]")
# Only where a word begins: tried at every letter, a long run of letters would take the square of its length.
_SUPERSCRIPT = (
    (re.compile(r"(?<![^\W\d_])([^\W\d_]+)(?:²|\^2)"), r"square \1"),
    (re.compile(r"(?<![^\W\d_])([^\W\d_]+)(?:³|\^3)"), r"cubic \1"),
)
_COUNTING = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    "|seventeen|eighteen|nineteen|twenty"
)
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_COUNTING.split("|"))}
_LEADING_NUMBER_WORD = re.compile(rf"^({_COUNTING})\b(?!-)")
_LATEX = re.compile(r"\\(?:text|mathrm|mathbf|boxed)\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{(\d+)\}\s*\{(\d+)\}")
_ARTICLE = re.compile(r"^(?:the|an?)\s+(?=\S)")
_TRIMMED_LEFT = " *_`\"'“”‘([{,;:!?"  # noqa: RUF001
_TRIMMED_RIGHT = " *_`\"'“”‘)]}.,;:!?"  # noqa: RUF001
_PLAIN_SIGNS = str.maketrans({"−": "-", "–": "-", "’": "'", "⁄": "/"})  # noqa: RUF001

# Units that measure, in their dimension's base unit. Other words only name what was counted.
_SCALES: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("second", "sec", "s"), ("time", 1.0)),
    **dict.fromkeys(("minute", "min"), ("time", 60.0)),
    **dict.fromkeys(("hour", "hr", "h"), ("time", 3600.0)),
    "day": ("time", 86400.0),
    "week": ("time", 604800.0),
    **dict.fromkeys(("millimeter", "millimetre", "mm"), ("length", 1e-3)),
    **dict.fromkeys(("centimeter", "centimetre", "cm"), ("length", 1e-2)),
    **dict.fromkeys(("meter", "metre", "m"), ("length", 1.0)),
    **dict.fromkeys(("kilometer", "kilometre", "km"), ("length", 1e3)),
    **dict.fromkeys(("inch", "inches", "in"), ("length", 0.0254)),
    **dict.fromkeys(("foot", "feet", "ft"), ("length", 0.3048)),
    "yard": ("length", 0.9144),
    "mile": ("length", 1609.344),
    **dict.fromkeys(("gram", "g"), ("mass", 1e-3)),
    **dict.fromkeys(("kilogram", "kg"), ("mass", 1.0)),
    **dict.fromkeys(("pound", "lb"), ("mass", 0.45359237)),
    **dict.fromkeys(("ounce", "oz"), ("mass", 0.028349523125)),
    **dict.fromkeys(("milliliter", "millilitre", "ml"), ("volume", 1e-3)),
    **dict.fromkeys(("liter", "litre", "l"), ("volume", 1.0)),
    **dict.fromkeys(("dollar", "$", "usd"), ("dollars", 1.0)),
    **dict.fromkeys(("cent", "¢"), ("dollars", 0.01)),
    **dict.fromkeys(("%", "percent"), ("share", 1.0)),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written, and what its unit measures; (None, 1.0) where it only counts things."""

    value: float
    dimension: str | None = None
    scale: float = 1.0


def same_answer(one: str, other: str) -> bool:
    """True if two short answers are equal as quantities or, where one is none, as words.

    A number without a unit equals the same number with any; two units of one dimension are converted:
    "30 minutes" is "0.5 hours" and "30", but not "30 hours". Words that count ("11 packs") are no units. A sentence
    around one number equals that number, and another sentence around it that shares half of its words.
    """
    left, right = normal_text(one), normal_text(other)
    if left == right:
        return bool(left)  # nothing is no answer
    first, second = read_quantity(left), read_quantity(right)
    are_bare = first is not None, second is not None
    first, second = first or _embedded_quantity(left), second or _embedded_quantity(right)
    if first is None or second is None or not _equal(first, second):
        return False
    return any(are_bare) or _share_words(left, right)


def normal_text(answer: str) -> str:
    """Lower case, plain minus signs and spaces; no markup, no article, no punctuation around it."""
    for pattern, replacement in _SUPERSCRIPT:
        answer = pattern.sub(replacement, answer)
    plain = unicodedata.normalize("NFKC", answer).translate(_PLAIN_SIGNS).casefold()
    plain = _FRACTION.sub(r"\1/\2", _LATEX.sub(r"\1", plain)).replace("\\%", "%").replace("\\$", "$")
    trimmed = " ".join(plain.split()).lstrip(_TRIMMED_LEFT).rstrip(_TRIMMED_RIGHT)
    if trimmed.startswith("$") and trimmed.endswith("$"):  # LaTeX, no money
        trimmed = trimmed.strip("$").strip()
    return _ARTICLE.sub("", trimmed)


def read_quantity(text: str) -> Quantity | None:
    """The number, with its unit, that a normal text is; None where it is or holds anything else."""
    worded = _LEADING_NUMBER_WORD.sub(lambda match: _NUMBER_WORDS[match[1]], text)
    match = _QUANTITY.fullmatch(worded.strip())
    if match is None:
        return None
    value = float(match["number"].replace(",", ""))
    divisor = float(match["divisor"]) if match["divisor"] else 1.0
    if divisor == 0 or not math.isfinite(value):
        return None
    negative = match["sign"] == "-" or match["late_sign"] == "-"
    dimension, scale = _scale(match["unit"] or "", match["currency"])
    return Quantity(-value / divisor if negative else value / divisor, dimension, scale)


def _embedded_quantity(text: str) -> Quantity | None:
    """The one number in a sentence; None where it holds several, or none, or is a formula."""
    found = _EMBEDDED.findall(text)
    if len(found) != 1:
        return None
    rest = text.replace(found[0], "", 1)
    return None if _NO_PROSE.search(rest) else read_quantity(found[0].strip())


def _share_words(one: str, other: str) -> bool:
    words, others = (set(re.findall(r"[^\W\d_]+", text)) for text in (one, other))
    return len(words & others) >= _SHARED_WORDS * min(len(words), len(others))


def cluster(answers: Sequence[str], equivalent: Equivalent = same_answer) -> list[list[int]]:
    """Indices of equal answers together, in order of first appearance; each is compared with a cluster's first."""
    clusters: list[list[int]] = []
    for index, answer in enumerate(answers):
        home = next((group for group in clusters if equivalent(answers[group[0]], answer)), None)
        if home is None:
            clusters.append([index])
        else:
            home.append(index)
    return clusters


def _equal(one: Quantity, other: Quantity) -> bool:
    if one.dimension and other.dimension:
        if one.dimension != other.dimension:
            return False
        return _close(one.value * one.scale, other.value * other.scale)
    return _close(one.value, other.value)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_RELATIVE_TOLERANCE, abs_tol=1e-12)


def _scale(unit: str, currency: str) -> tuple[str | None, float]:
    if currency:
        return _SCALES.get(currency, (currency, 1.0))
    words = unit.split()
    if len(words) != 1:  # "square feet", "miles per hour" and "packs of gum" are left as they are
        return None, 1.0
    word = words[0]
    return _SCALES.get(word) or _SCALES.get(word.removesuffix("s")) or (None, 1.0)
