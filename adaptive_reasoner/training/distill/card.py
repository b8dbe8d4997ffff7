"""The data card: what a dataset holds, where it came from, and what was left out."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adaptive_reasoner.profile_files import write_profile
from adaptive_reasoner.training.distill.dataset import Dataset
from adaptive_reasoner.training.distill.examples import SPLITS, DistillExample, write_examples
from adaptive_reasoner.training.distill.exports import DATASET_ORDERS, FORMATS, Format, write_export

_SPLITTING = (
    "Splits follow from the question's text alone, without case and punctuation, so that a near-duplicate never stands "
    "in two of them."
)
UNKNOWN_LICENCE = "unknown: settle it before the data leave your house"


def write_dataset(
    folder: Path, dataset: Dataset, *, formats: Sequence[Format] = (), licence: str = UNKNOWN_LICENCE
) -> dict[str, Any]:
    """Write every split as JSON Lines, in further formats and in all three orders, with its card.

    Args:
        folder: receives train.jsonl, calibration.jsonl, test.jsonl, card.json and README.md.
        dataset: what is written.
        formats: more of them, in the folder `exports`.
        licence: of the questions and answers.

    Returns:
        The card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in SPLITS:
        write_examples(folder / f"{name}.jsonl", dataset.split(name))
    if formats:
        (folder / "exports").mkdir(exist_ok=True)
    for kind in formats:
        for order in DATASET_ORDERS:
            ending = "parquet" if kind == "parquet" else "jsonl"
            for name in SPLITS:
                path = folder / "exports" / f"{kind}.{order}.{name}.{ending}"
                write_export(path, dataset.split(name), order, kind)
    card = make_card(dataset, licence)
    write_profile(folder / "card.json", card, "data card")
    (folder / "README.md").write_text(card_text(card), encoding="utf-8")
    return card


def make_card(dataset: Dataset, licence: str = UNKNOWN_LICENCE) -> dict[str, Any]:
    """The card as plain JSON."""
    examples = dataset.examples
    return {
        "candidates": dataset.candidates,
        "examples": len(examples),
        "drops": dataset.drops,
        "step_marks": {name: dataset.step_marks.get(name, 0) for name in ("redone", "dropped")},
        "splits": {name: len(dataset.split(name)) for name in SPLITS},
        "orders": dict(Counter(one.order for one in examples)),
        "verified": sum(one.verified is True for one in examples),
        "reasons": dict(Counter(reason for one in examples for reason in one.reasons)),
        "weights": dict(sorted(Counter(f"{one.weight:g}" for one in examples).items())),
        "sources": dict(Counter(_kind_of(one.source) for one in examples).most_common(20)),
        "settings": asdict(dataset.config),
        "licence": licence,
        "fingerprint": fingerprint_of(examples),
        "formats": list(FORMATS),
    }


def fingerprint_of(examples: Sequence[DistillExample]) -> str:
    """First 16 hex digits of the SHA-256 over all examples, whatever their order."""
    lines = sorted(json.dumps(asdict(one), ensure_ascii=False, sort_keys=True) for one in examples)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def card_text(card: dict[str, Any]) -> str:
    """The card for people."""
    drops = "".join(f"| {name.replace('_', ' ')} | {count} |\n" for name, count in card["drops"].items())
    parts = [
        f"# Worked answers, {card['fingerprint']}\n",
        f"{card['examples']} of {card['candidates']} candidates were kept, {card['verified']} of them verified.\n",
        f"Licence: {card['licence']}.\n",
        "| split | examples |\n|---|---|\n"
        + "".join(f"| {name} | {count} |\n" for name, count in card["splits"].items()),
        f"| left out | candidates |\n|---|---|\n{drops}" if drops else "",
        "| source | examples |\n|---|---|\n"
        + "".join(f"| {name} | {count} |\n" for name, count in card["sources"].items()),
        _marks_text(card["step_marks"]),
        f"Hard examples weigh more: {card['weights']} (weight: examples); why: {card['reasons']}.\n",
        f"Suited order: {card['orders']}. {_SPLITTING}\n",
    ]
    return "\n".join(part for part in parts if part)


def _marks_text(marks: dict[str, int]) -> str:
    if not any(marks.values()):
        return ""
    return (
        f"A person marked a step as wrong in {sum(marks.values())}: {marks['redone']} hold the work that was done anew "
        f"from before it, {marks['dropped']} were left out.\n"
    )


def _kind_of(source: str) -> str:
    return "runs" if source.startswith("run:") else source or "unknown"
