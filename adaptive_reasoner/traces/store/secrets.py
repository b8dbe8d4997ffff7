"""Finds keys, tokens and passwords in what is about to be stored, and masks them."""

import re
from collections.abc import Iterator
from typing import Any, cast

MASK = "[secret]"

# Literals, one of which must be there (in lower case), and the pattern that is only tried where one is: searching a
# record for a few literals takes microseconds, trying every pattern on it a millisecond.
_Shapes = tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]
# Keys by their shape: each is one long run of such characters.
_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)")
_RUN = re.compile(r"[\w\-.]{16,}")
_KEYS: _Shapes = (
    (("sk-", "sk_", "rk_", "pk-lf"), re.compile(r"\b(?:sk|rk|pk-lf)[-_][A-Za-z0-9][A-Za-z0-9_\-]{15,}")),
    (("akia", "asia"), re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    (("gh", "github_pat_"), re.compile(r"\b(?:gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,})")),
    (("glpat-",), re.compile(r"\bglpat-[\w\-]{16,}")),
    (("xox", "xapp-"), re.compile(r"\b(?:xox[a-z]-|xapp-)[A-Za-z0-9\-]{10,}")),
    (("aiza",), re.compile(r"\bAIza[\w\-]{30,}")),
    (("ya29.",), re.compile(r"\bya29\.[\w\-.]{20,}")),
    (("hf_",), re.compile(r"\bhf_[A-Za-z0-9]{20,}")),
    (("gsk_", "xai-", "r8_", "nvapi-", "pplx-"), re.compile(r"\b(?:gsk_|xai-|r8_|nvapi-|pplx-)[\w\-]{20,}")),
    (("lsv2_", "ls__"), re.compile(r"\b(?:lsv2_|ls__)\w{16,}")),
    (("eyj",), re.compile(r"\beyJ[\w\-]{8,2000}+\.[\w\-]{8,}\.[\w\-]*")),
)
_PHRASES: _Shapes = (
    (
        ("bearer ", "basic "),
        re.compile(r"(?i)(\bbearer |\bauthorization: basic )(?=\S*\d)[\w\-.~+/=]{12,}"),
    ),
    (
        ("private key",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    ),
    (("://",), re.compile(r"(?<=://)[^\s/:@]*:[^\s/@]+(?=@)")),
    (
        ("api_key", "api-key", "api key", "apikey", "secret", "passw", "access", "auth", "refresh"),
        re.compile(
            r"(?i)(?<![\w\-])((?:[\w\-]*[_\-])?(?:api[_\- ]?key|secret(?:[_\-]key)?|passw(?:or)?d"
            r"|(?:access|auth|refresh)[_\- ]token)[\"']?\s*(?:[:=]|\bis\b(?=\s*\S*\d))\s*[\"']?)[^\s\"',;]{6,}"
        ),
    ),
)  # fmt: skip
# Fields of metadata whose text is a secret whatever it looks like.
_SECRET_FIELD = re.compile(
    r"(?i)(?:^|[_\-])(?:api_?key|secret(?:_key)?|passw(?:or)?d|(?:access|auth|refresh|bearer)_?token|authorization|"
    r"credentials?|private_key|cookie)$"
)
_FIELD_NAMES = (
    'key"', 'secret"', 'password"', 'passwd"', 'token"', 'authorization"', "credential", 'cookie"',
)  # fmt: skip


def mask_secrets(text: str) -> str:
    """`text` with everything that looks like a key, a token or a password replaced by `MASK`."""
    for pattern in _found(_KEYS + _PHRASES, text, text.lower()):
        text = pattern.sub(_masked, text)
    return text


def may_hold_secrets(text: str) -> bool:
    """False only if masking the plain JSON that `text` holds would change nothing."""
    lowered = text.lower()
    if any(name in lowered for name in _FIELD_NAMES):
        return True
    if "\\" in text:  # what follows an escaped line break begins a word
        text = _ESCAPE.sub(" ", text)
        lowered = text.lower()
    if any(True for _ in _found(_PHRASES, text, lowered)):
        return True
    long_runs = "\n".join(_RUN.findall(text))
    return any(True for _ in _found(_KEYS, long_runs, long_runs.lower()))


def _found(shapes: _Shapes, text: str, lowered: str) -> Iterator[re.Pattern[str]]:
    """The patterns that match."""
    for literals, pattern in shapes:
        if any(literal in lowered for literal in literals) and pattern.search(text):
            yield pattern


def without_secrets(data: Any) -> Any:
    """Plain JSON with the secrets in its texts, and the texts of fields that are named like one, masked."""
    if isinstance(data, str):
        return mask_secrets(data)
    if isinstance(data, dict):
        fields = cast("dict[str, Any]", data)
        return {mask_secrets(name): _field(name, value) for name, value in fields.items()}
    if isinstance(data, list | tuple):
        return [without_secrets(one) for one in cast("list[Any]", data)]
    return data


def _field(name: str, value: Any) -> Any:
    if isinstance(value, str) and value and _SECRET_FIELD.search(name):
        return MASK
    return without_secrets(value)


def _masked(found: re.Match[str]) -> str:
    """Of a name with its value only the value; all of the rest."""
    return (found.group(1) if found.re.groups else "") + MASK
