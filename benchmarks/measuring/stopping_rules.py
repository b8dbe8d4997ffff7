"""The most that a stopping rule can save: every rule that looks at the votes alone is tried.

A rule is the set of standings at which it stops asking. With four further samples there are 13 standings at which
it could, and so 8,192 rules. The doubt at the stop is the package's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from measuring.auroc import Floats
from measuring.votes import RUNS, Cases, Pattern

from adaptive_reasoner.uncertainty.agreement import Votes, doubt

Standing = tuple[int, ...]  # votes for the answer, then for each other one, the most frequent first
Rule = frozenset[Standing]


@dataclass(frozen=True, slots=True)
class Table:
    """Distinct orders of votes, p of them.

    Attributes:
        standings: p rows: after the answer itself and after each of the four samples.
        counts: shape (2, p): right and wrong answers with these votes.
    """

    standings: list[list[Standing]]
    counts: Floats

    @classmethod
    def of(cls, cases: Cases) -> "Table":
        """Count the cases."""
        patterns, rows = np.unique(cases.votes, axis=0, return_inverse=True)
        counts = [
            np.bincount(rows.ravel()[cases.wrong == flag], minlength=len(patterns)) for flag in (False, True)
        ]
        standings = [[_standing(tuple(one[: k + 1])) for k in range(RUNS)] for one in patterns.tolist()]
        return cls(standings, np.array(counts, dtype=np.float64))

    def judge(self, rule: Rule) -> tuple[float, float]:
        """AUROC for "wrong", and the mean number of further samples."""
        stops = [next((k for k in range(1, RUNS - 1) if row[k] in rule), RUNS - 1) for row in self.standings]
        doubts = [_doubt(row[stop]) for row, stop in zip(self.standings, stops, strict=True)]
        _, levels = np.unique(np.round(doubts, 9), return_inverse=True)
        right, wrong = (np.bincount(levels, weights=counts) for counts in self.counts)
        area = (wrong * (np.cumsum(right) - right / 2)).sum() / (right.sum() * wrong.sum())
        return float(area), float((self.counts.sum(axis=0) @ np.array(stops)) / self.counts.sum())


def best_on_other_sets(cases: Cases, loss_allowed: float) -> dict[str, Any]:
    """For each data set the rule that saves most on the others, losing no more there, and what it does here."""
    names = np.unique(cases.subset).tolist()
    tables = {name: Table.of(cases.where(cases.subset == name)) for name in names}
    whole = {name: table.judge(frozenset())[0] for name, table in tables.items()}
    found: dict[str, tuple[float, Rule]] = dict.fromkeys(names, (-1.0, frozenset()))
    for rule in every_rule(tables):
        judged = {name: table.judge(rule) for name, table in tables.items()}
        for name in names:
            others = [other for other in names if other != name]
            if all(whole[other] - judged[other][0] <= loss_allowed for other in others):
                saved = float(np.mean([1 - judged[other][1] / (RUNS - 1) for other in others]))
                found[name] = max(found[name], (saved, rule), key=lambda pair: pair[0])
    return {name: _row(tables[name], found[name][1], whole[name]) for name in names}


def every_rule(tables: dict[str, Table]) -> Iterator[Rule]:
    """All sets of standings at which a rule could stop before the last sample."""
    reached = {one for table in tables.values() for row in table.standings for one in row[1 : RUNS - 1]}
    for count in range(len(reached) + 1):
        yield from map(frozenset, combinations(sorted(reached), count))


def _row(table: Table, rule: Rule, whole: float) -> dict[str, Any]:
    area, samples = table.judge(rule)
    return {
        "stops_at": sorted(rule),
        "auroc": area,
        "lost": area - whole,
        "saved_share": 1 - samples / (RUNS - 1),
    }


def _standing(pattern: Pattern) -> Standing:
    others = [pattern.count(vote) for vote in set(pattern) - {pattern[0]}]
    return (pattern.count(pattern[0]), *sorted(others, reverse=True))


def _doubt(standing: Standing) -> float:
    return doubt(Votes(standing[0], max(standing[1:], default=0), sum(standing)))
