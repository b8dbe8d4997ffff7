"""Recorded samples of one model, as votes: every answer to a question in turn, with the others in every order."""

import gzip
import json
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import AIMessage
from numpy.typing import NDArray

from adaptive_reasoner.uncertainty.agreement import answer_key, count_votes, doubt, is_settled
from adaptive_reasoner.uncertainty.equivalence import cluster

RECORDING = Path("agreement/llama3.1-8b-cot-5runs.jsonl.gz")
RUNS = 5

Pattern = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question with the replies of its runs, of which some may be missing."""

    subset: str
    replies: tuple[str, ...]
    wrong: tuple[bool, ...]
    answer_logprobs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """Rows: an answer and an order of the other samples. Shapes are (rows,), and (rows, 5) for `votes`.

    Attributes:
        votes: which cluster each sample falls into, the answer's own first; a missing run is a cluster by itself.
        answer_logprob: sum over the answer's tokens, as recorded.
    """

    subset: NDArray[Any]
    question: NDArray[np.int64]
    votes: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    answer_logprob: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> "Cases":
        """The rows that are chosen."""
        return Cases(
            self.subset[chosen],
            self.question[chosen],
            self.votes[chosen],
            self.wrong[chosen],
            self.answer_logprob[chosen],
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """How far to sample: `stop_at` 1 asks for all of `max_samples`."""

    max_samples: int
    stop_at: float = 1.0

    def play(self, cases: Cases) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Samples beside the answer, and the doubt that they leave, for every row."""
        patterns, rows = np.unique(cases.votes, axis=0, return_inverse=True)
        played = [_play(tuple(pattern), self.max_samples, self.stop_at) for pattern in patterns.tolist()]
        samples, doubts = np.array(played).T
        return samples[rows.ravel()], doubts[rows.ravel()]


def recording_path() -> Path:
    """Where the recorded samples lie; exits with 2 where they are missing."""
    path = Path(os.environ.get("ADAPTIVE_REASONER_DATA", "../shared/data")) / RECORDING
    if not path.is_file():
        print(f"{path} is missing; set ADAPTIVE_REASONER_DATA to the folder of recordings.", file=sys.stderr)
        raise SystemExit(2)
    return path


def read_questions(path: Path) -> list[Question]:
    """All questions of the recording, in the order in which they first appear."""
    rows: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows[row["id"]].setdefault(row["run"], row)  # one run is recorded twice
    return [
        Question(
            subset=next(iter(runs.values()))["subset"].lower(),
            replies=tuple(run["response"] for run in runs.values()),
            wrong=tuple(not run["correct"] for run in runs.values()),
            answer_logprobs=tuple(sum(run["answer_token_logprobs"]) for run in runs.values()),
        )
        for runs in rows.values()
    ]


def as_cases(questions: Sequence[Question]) -> Cases:
    """Every answer with the other runs in each order; clusters as the package makes them of whole replies."""
    rows: list[tuple[str, int, Pattern, bool, float]] = []
    for index, one in enumerate(questions):
        labels = _labels([answer_key(AIMessage(reply)) or "" for reply in one.replies])
        for run, wrong in enumerate(one.wrong):
            others = [*labels[:run], *labels[run + 1 :]]
            votes = [(labels[run], *order) for order in permutations(others)]
            rows += [(one.subset, index, _canonical(v), wrong, one.answer_logprobs[run]) for v in votes]
    subset, question, votes, wrong, logprob = zip(*rows, strict=True)
    return Cases(np.array(subset), np.array(question), np.array(votes), np.array(wrong), np.array(logprob))


def _labels(keys: Sequence[str]) -> list[int]:
    labels = list(range(RUNS, 2 * RUNS))  # what is missing stays by itself
    for label, group in enumerate(cluster(keys)):
        for run in group:
            labels[run] = label
    return labels


def _canonical(votes: Pattern) -> Pattern:
    """Clusters numbered by first appearance."""
    first = list(dict.fromkeys(votes))
    return tuple(first.index(vote) for vote in votes)


@cache
def _play(pattern: Pattern, max_samples: int, stop_at: float) -> tuple[int, float]:
    names = [str(vote) for vote in pattern]
    taken = 1
    while taken <= max_samples and not is_settled(names[:taken], stop_at):
        taken += 1
    return taken - 1, doubt(count_votes(names[:taken]))
