"""The recordings of real models, their two sides, and the pairs of a fast and a thinking model."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adaptive_reasoner.gate.calibration import CalibrationExample
from adaptive_reasoner.gate.scored import Scored
from adaptive_reasoner.state import Signal
from adaptive_reasoner.traces.recordings import Record, RecordedPair, as_examples, load_records, pair_records
from adaptive_reasoner.uncertainty.message import score_message
from adaptive_reasoner.uncertainty.score import unknown_signal
from adaptive_reasoner.uncertainty.support import with_support

SIDES = (("physics", "law", "business", "eng"), ("chem", "econ", "psych", "health"))
MODELS = {"4o-mini": "gpt4o-mini", "4o": "gpt4o", "llama": "llama3.1-8B"}
PAIRS = (("4o-mini", "4o-mini"), ("4o-mini", "4o"), ("4o", "4o"), ("llama", "llama"))


@dataclass(frozen=True, slots=True)
class Side:
    """The questions of one side for one pair of models, in the recordings' order.

    Attributes:
        pairs: recorded answers.
        examples: the same as messages, for `calibrate`.
        signals: of the fast and the deep answers.
    """

    pairs: Sequence[RecordedPair]
    examples: Sequence[CalibrationExample]
    signals: Sequence[tuple[Signal, Signal]]


def replay_folder() -> Path:
    """The folder of the recordings; ends the program with code 2 where it is missing."""
    folder = Path(os.environ.get("ADAPTIVE_REASONER_DATA", "../shared/data")) / "replay"
    if not folder.is_dir():
        print(f"No recordings in {folder}: set ADAPTIVE_REASONER_DATA to the data folder.", file=sys.stderr)
        raise SystemExit(2)
    return folder


@cache
def records_of(model: str) -> list[Record]:
    """All answers of a model, both modes."""
    return load_records(replay_folder() / f"mmlu-{MODELS[model]}.jsonl.gz")


@cache
def load_side(fast: str, deep: str, side: int) -> Side:
    """The questions of `SIDES[side]`, scored."""
    pairs = pair_records(records_of(fast), records_of(deep))
    taken = [pair for pair in pairs if pair.fast["family"] in SIDES[side]]
    examples = as_examples(taken)
    return Side(taken, examples, [_signals(example) for example in examples])


def _signals(example: CalibrationExample) -> tuple[Signal, Signal]:
    """Of both answers, the deep one's with the support of the fast one, as `calibrate` scores them."""
    fast = score_message(example.fast)
    if example.deep is None:
        return fast, unknown_signal("no deep answer is recorded")
    return fast, with_support(score_message(example.deep), example.deep, fast, example.fast)


def scored(side: Side, indices: Sequence[int] | None = None) -> list[Scored]:
    """What calibration sees of these questions; the same as `calibrate` makes of their messages."""
    found: list[Scored] = []
    for index in range(len(side.pairs)) if indices is None else indices:
        example, (fast, deep) = side.examples[index], side.signals[index]
        if fast["kind"] == "logprobs":
            known = deep if deep["kind"] == "logprobs" else None
            found.append(Scored(fast, not example.fast_correct, known, not example.deep_correct))
    return found
