"""Runs that are alike in all that reports count share a number, so that a report is one pass over an index."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

WORDS = ("tenant", "source", "model", "verdict", "stopped_by")
FLAGS = ("began_fast", "thought", "refined", "reviewed", "failed")
# What a stratum is told by; of figures that are measured only whether they are there, or which side they are on.
COLUMNS = (*WORDS, *FLAGS, "correct", "agreement", "risk")
AGREES = 0.5  # from this agreement on
_BYTES = 8
_MOST = 2**63 - 1  # that a column of whole numbers holds

Row = Mapping[str, Any]


def stratum_of(row: Row) -> int:
    """The number of a row of figures: the same for rows that are alike, in every process and version."""
    flags = [bool(row[name]) for name in FLAGS]
    key = [*(row[name] for name in WORDS), *flags, row["correct"], agrees(row), row["risk"] is not None]
    digest = hashlib.blake2b(json.dumps(key).encode(), digest_size=_BYTES).digest()
    return int.from_bytes(digest, "big") & _MOST


def agrees(row: Row) -> bool | None:
    """Whether the rationale leads to the answer; None: there is none, or nothing can be held against the answer."""
    return None if row["agreement"] is None else row["agreement"] >= AGREES


def counted(row: Row) -> dict[str, bool]:
    """What a report counts: the same of all rows of a stratum."""
    labelled, wrong, agreed = row["correct"] is not None, row["correct"] == 0, agrees(row)
    judged = labelled and row["risk"] is not None
    return {
        **{name: bool(row[name]) for name in FLAGS},
        "escalated": bool(row["began_fast"] and row["thought"]),
        "accepted": row["verdict"] == "accept",
        "gave_up": row["verdict"] == "give_up",
        "stopped": row["stopped_by"] is not None,
        "labelled": labelled,
        "wrong": wrong,
        "judged": judged,
        "judged_wrong": judged and wrong,
        "checked": agreed is not None,
        "agreed": agreed is True,
        "agreed_labelled": agreed is True and labelled,
        "agreed_wrong": agreed is True and wrong,
        "differed_labelled": agreed is False and labelled,
        "differed_wrong": agreed is False and wrong,
    }
