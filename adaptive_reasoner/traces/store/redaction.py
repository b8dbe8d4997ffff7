"""What a trace store keeps of a run's texts: all, a keyed hash, or nothing; secrets are never kept."""

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from adaptive_reasoner.checks import check_choice
from adaptive_reasoner.errors import ConfigurationError, RecordError

Kept = Literal["keep", "hash", "drop"]
ENVIRONMENT = "ADAPTIVE_REASONER_REDACTION_KEY"
_LEAST_KEY_BYTES = 16
_FIELDS = ("questions", "answers", "thoughts", "threads", "tenants")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What is kept of each kind of text; "hash" makes equal texts equal and needs a key, "drop" leaves "" or null.

    Attributes:
        questions: the user's.
        answers: of the models, with the doubtful spans' texts and what a person edited.
        thoughts: of the models.
        threads, tenants: their names.
        key: of the hashes, at least 16 bytes; None takes ADAPTIVE_REASONER_REDACTION_KEY.
    """

    questions: Kept = "keep"
    answers: Kept = "keep"
    thoughts: Kept = "keep"
    threads: Kept = "keep"
    tenants: Kept = "keep"
    key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in _FIELDS:
            check_choice(f"redaction.{name}", getattr(self, name), get_args(Kept))
        if self.hashes and len(self._key()) < _LEAST_KEY_BYTES:
            raise ConfigurationError(
                f"Hashing needs a key of at least {_LEAST_KEY_BYTES} bytes: redaction.key or {ENVIRONMENT}. "
                "Without one, short texts can be found by trying."
            )

    @classmethod
    def of(cls, settings: Iterable[str]) -> "Redaction":
        """From texts such as "answers=drop".

        Raises:
            ConfigurationError: one is no such text, or a hash has no key.
        """
        given: dict[str, Any] = {}
        for setting in settings:
            name, _, how = setting.partition("=")
            check_choice("what to redact", name, _FIELDS)
            given[name] = how
        return cls(**given)

    @property
    def hashes(self) -> bool:
        """Whether any text is hashed."""
        return any(getattr(self, name) == "hash" for name in _FIELDS)

    @property
    def keeps_all(self) -> bool:
        """Whether every text is kept."""
        return all(getattr(self, name) == "keep" for name in _FIELDS)

    def run(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A run's record as it may be stored."""
        kept = dict(record)
        kept["question"] = self._text(self.questions, record["question"])
        kept["answer"] = self._text(self.answers, record["answer"])
        kept["answers"] = [self._text(self.answers, text) for text in record["answers"]]
        if "thoughts" in record:
            kept["thoughts"] = [self._text(self.thoughts, text) for text in record["thoughts"]]
        kept["thread_id"] = self._name(self.threads, record["thread_id"])
        kept["tenant"] = self._name(self.tenants, record["tenant"])
        if not all(how == "keep" for how in (self.answers, self.thoughts, self.questions, self.tenants)):
            kept["report"] = self._report(record["report"])
        return kept

    def label(self, label: Mapping[str, Any]) -> dict[str, Any]:
        """A label as it may be stored.

        Raises:
            RecordError: it tells the right answer, which cannot be compared with answers that are not kept.
        """
        if self.answers != "keep" and label.get("answer") is not None:
            raise RecordError(
                f"This store does not keep answers (redaction.answers is {self.answers!r}), so a right answer tells "
                'nothing: label runs with "correct": true or false.'
            )
        return dict(label)

    def tenant(self, name: str | None) -> str | None:
        """A tenant's name as it is stored, to look for its runs."""
        return self._name(self.tenants, name)

    def _report(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """The report without texts of the answer, and without what may quote question or tenant."""
        kept: dict[str, Any] = {**report, "rounds": [self._round(one) for one in report["rounds"]]}
        kept["signal"] = self._signal(report["signal"])
        if self.answers != "keep":
            kept.pop("review", None)
            kept.pop("delivery", None)
        if self.thoughts != "keep":
            kept.pop("step_marks", None)
        if self.questions != "keep":
            kept["triage"] = {**report["triage"], "reason": ""}
        if self.tenants != "keep" and (budget := report.get("budget")):
            hidden = None if budget.get("exhausted") is None else str(budget["exhausted"]).partition(":")[0]
            kept["budget"] = {**budget, "exhausted": hidden, "accounts": {}}
        return kept

    def _round(self, one: Mapping[str, Any]) -> dict[str, Any]:
        kept = {**one, "signal": self._signal(one["signal"])}
        if self.answers != "keep" and "reason" in kept:
            del kept["reason"]  # may quote the answer
        if self.thoughts != "keep":
            kept.pop("uncertain_steps", None)
        return kept

    def _signal(self, signal: Mapping[str, Any]) -> dict[str, Any]:
        if self.answers == "keep":
            return dict(signal)
        spans: list[dict[str, Any]] = [{**one, "text": "", "alternatives": []} for one in signal["spans"]]
        return {**signal, "spans": spans}

    def _name(self, how: Kept, name: str | None) -> str | None:
        return None if name is None or how == "drop" else self._text(how, name)

    def _text(self, how: Kept, text: str) -> str:
        if how == "keep" or not text:
            return text
        if how == "drop":
            return ""
        digest = hmac.new(self._key(), text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"hmac-sha256:{digest.hexdigest()}"

    def _key(self) -> bytes:
        return self.key if self.key is not None else os.environ.get(ENVIRONMENT, "").encode()
