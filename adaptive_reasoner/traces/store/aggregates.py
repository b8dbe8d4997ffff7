"""Sums over a store's figures, made by the database: a million runs take seconds and no memory."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, bindparam, case, cast, func, select

from adaptive_reasoner.traces.store.strata import COLUMNS, WORDS, counted
from adaptive_reasoner.traces.store.tables import FIGURES

_RUN = FIGURES.c
# Windows that a person would choose, in seconds; the least that leaves few enough is taken.
_WIDTHS = (60, 300, 900, 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400)
_MOST_WINDOWS = 64
_RISK_BINS = 10
_TOTALS = ("input_tokens", "output_tokens", "reasoning_tokens", "total_tokens", "calls", "milliseconds")
_REAL = frozenset({"cost_usd", "known_risk"})
_ONE_OF = select(*(_RUN[name] for name in COLUMNS)).where(_RUN.stratum == bindparam("number")).limit(1)
Conditions = Sequence[Any]
Row = dict[str, Any]


def extent(db: Connection, where: Conditions) -> tuple[float, float] | None:
    """When the first and the last run were recorded; None: there is none."""
    ends: list[Any] = [  # one look into the index each
        db.execute(select(end(_RUN.recorded_at)).where(*where)).scalar() for end in (func.min, func.max)
    ]
    return None if ends[0] is None else (float(ends[0]), float(ends[1]))


def window_width(first: float, last: float) -> int:
    """Seconds of a window."""
    return next(
        (width for width in _WIDTHS if (last - first) / width < _MOST_WINDOWS - 1), _whole(first, last)
    )


def by_strata(db: Connection, where: Conditions, windows: tuple[float, int]) -> list[Row]:
    """Counts and sums of each window and each stratum, all in one pass.

    Args:
        db: a connection.
        where: which runs.
        windows: when the first one begins, and how wide they are, in seconds.

    Returns:
        Rows with `window`, the words that the stratum's runs share, and under `sums` what can be added up.
    """
    begin, width = windows
    number = _floor(db, (_RUN.recorded_at - begin) / width).label("window")
    query = select(_RUN.stratum, number, *_sums()).where(*where).group_by(_RUN.stratum, number)
    found = [dict(row) for row in db.execute(query).mappings()]
    alike = {one: _one_of(db, one) for one in {row["stratum"] for row in found}}
    return [_described(row, alike[row["stratum"]]) for row in found]


def added_up(rows: Iterable[Row], key: str | None = None) -> dict[Any, Row]:
    """The sums of rows with the same `key`, as number 0 of all rows without one."""
    groups: dict[Any, Row] = {}
    for row in rows:
        group = groups.setdefault(row[key] if key else 0, dict.fromkeys(row["sums"], 0))
        for name, value in row["sums"].items():
            group[name] += value
    return groups


def count_words(rows: Iterable[Row], column: str) -> dict[str | None, int]:
    """How many runs have each value of a column of words, the most frequent first."""
    counts = Counter[str | None]()
    for row in rows:
        counts[row[column]] += row["sums"]["runs"]
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0] is None, one[0] or "")))


def reliability(db: Connection, where: Conditions) -> list[Row]:
    """For each tenth of the scale of risks: labelled answers, their mean risk, and how many were wrong."""
    known = [_RUN.correct.is_not(None), _RUN.risk.is_not(None), *where]
    tenth = _floor(db, _RUN.risk * _RISK_BINS)
    number = case((tenth >= _RISK_BINS, _RISK_BINS - 1), else_=tenth).label("number")
    query = (
        select(number, func.count(), func.avg(_RUN.risk), func.sum(1 - _RUN.correct))
        .where(*known)
        .group_by(number)
        .order_by(number)
    )
    return [
        {"from": bin_ / _RISK_BINS, "answers": int(count), "risk": float(risk), "wrong": int(wrong)}
        for bin_, count, risk, wrong in db.execute(query)
    ]


def quantiles(
    db: Connection, where: Conditions, column: str, shares: Sequence[float], runs: int
) -> list[float]:
    """Of a column of whole numbers: the smallest value that each share of the runs does not exceed.

    Args:
        db: a connection.
        where: which runs.
        column: has an index, along which the database counts.
        shares: in (0, 1].
        runs: how many there are.
    """
    value = _RUN[column]
    ordered = select(value).where(*where).order_by(value).limit(1)
    places = [max(0, -int(-share * runs // 1) - 1) for share in shares]
    return [float(db.execute(ordered.offset(place)).scalar_one()) for place in places]


def top_runs(db: Connection, where: Conditions, order: Sequence[Any], most: int) -> list[Row]:
    """The figures of the first runs in an order."""
    query = select(FIGURES).where(*where).order_by(*order).limit(most)
    return [dict(row) for row in db.execute(query).mappings()]


def _one_of(db: Connection, number: int) -> Row:
    return dict(db.execute(_ONE_OF, {"number": number}).mappings().one())


def _described(row: Row, alike: Row) -> Row:
    """A group's sums with what is the same of all its runs."""
    sums = {
        name: float(value or 0.0) if name in _REAL else int(value or 0)  # Postgres gives sums as decimals
        for name, value in row.items()
        if name not in ("stratum", "window")
    }
    runs, of_run = sums["runs"], counted(alike)
    sums |= {name: runs if holds else 0 for name, holds in of_run.items()}
    known_risk = sums.pop("known_risk")
    sums["judged_risk"] = known_risk if of_run["judged"] else 0.0
    return {"window": int(row["window"]), **{name: alike[name] for name in WORDS}, "sums": sums}


def _sums() -> list[ColumnElement[Any]]:
    """What the index of the strata holds, added up."""
    return [
        func.count().label("runs"),
        *(func.sum(_RUN[name]).label(name) for name in _TOTALS),
        func.sum(_RUN.cost_usd).label("cost_usd"),
        func.count(_RUN.cost_usd).label("priced"),
        func.sum(_RUN.risk).label("known_risk"),
    ]


def _floor(db: Connection, value: Any) -> Any:
    """Rounded down, of what is not negative: SQLite cuts off where Postgres would round."""
    return cast(value if db.dialect.name == "sqlite" else func.floor(value), Integer)


def _whole(first: float, last: float) -> int:
    return int((last - first) / (_MOST_WINDOWS - 2)) + 1
