"""Sums over a store's figures, made by the database: a million runs take seconds and no memory."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, and_, case, cast, func, literal, select

from adaptive_reasoner.traces.store.tables import FIGURES

_RUN = FIGURES.c
# Windows that a person would choose, in seconds; the least that leaves few enough is taken.
_WIDTHS = (60, 300, 900, 3600, 6 * 3600, 86400, 7 * 86400, 28 * 86400)
_MOST_WINDOWS = 64
_RISK_BINS = 10
_QUANTILE_STEPS = 4000  # quantiles are exact to the largest value divided by this
Conditions = Sequence[Any]
Row = dict[str, Any]


def extent(db: Connection, where: Conditions) -> tuple[int, float, float]:
    """How many runs, and when the first and the last one were recorded."""
    query = select(func.count(), func.min(_RUN.recorded_at), func.max(_RUN.recorded_at)).where(*where)
    count, first, last = db.execute(query).one()
    return int(count), float(first or 0.0), float(last or 0.0)


def window_width(first: float, last: float) -> int:
    """Seconds of a window."""
    return next(
        (width for width in _WIDTHS if (last - first) / width < _MOST_WINDOWS - 1), _whole(first, last)
    )


def frequent_words(db: Connection, where: Conditions, column: str, most: int) -> list[str | None]:
    """The most frequent values of a column of words; null is one."""
    word = _RUN[column]
    query = select(word).where(*where).group_by(word).order_by(func.count().desc(), word).limit(most)
    return list(db.execute(query).scalars())


def by_groups(
    db: Connection, where: Conditions, windows: tuple[float, int], words: Mapping[str, Sequence[str | None]]
) -> list[Row]:
    """Counts and sums of each window and these values of columns, all in one pass.

    Args:
        db: a connection.
        where: which runs.
        windows: when the first one begins, and how wide they are, in seconds.
        words: of each column the values to tell apart.

    Returns:
        Rows with `window`, and for each column the index of its value; -1 for all others.
    """
    begin, width = windows
    number = _floor(db, (_RUN.recorded_at - begin) / width).label("window")
    keys = [number, *(_index(_RUN[column], values).label(column) for column, values in words.items())]
    query = select(*keys, *_sums()).where(*where).group_by(*keys)
    return [_numbers(dict(row)) for row in db.execute(query).mappings()]


def added_up(rows: Iterable[Row], key: str | None = None) -> dict[int, Row]:
    """The sums of rows with the same `key`, in its order; of all rows, as number 0, without one."""
    groups: dict[int, Row] = {}
    for row in rows:
        group = groups.setdefault(row[key] if key else 0, dict.fromkeys(row, 0))
        for name, value in row.items():
            group[name] += value
    return {index: groups[index] for index in sorted(groups)}


def _index(word: Any, values: Sequence[str | None]) -> Any:
    """Which of these values a word is: numbers are sorted faster than words."""
    if not values:
        return literal(-1)
    return case(
        *((word.is_(None) if value is None else word == value, index) for index, value in enumerate(values)),
        else_=-1,
    )


def count_words(db: Connection, where: Conditions, column: str) -> dict[str, int]:
    """How many runs have each value of a column; null is left out."""
    word = _RUN[column]
    query = (
        select(word, func.count())
        .where(word.is_not(None), *where)
        .group_by(word)
        .order_by(func.count().desc())
    )
    return {str(name): int(count) for name, count in db.execute(query)}


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


def quantiles(db: Connection, where: Conditions, column: str, shares: Sequence[float]) -> list[float]:
    """Of a column of whole numbers: the smallest value that each share of the runs does not exceed."""
    value = _RUN[column]
    largest = db.execute(select(func.max(value)).where(*where)).scalar() or 0
    step = max(1, int(largest) // _QUANTILE_STEPS)
    group = (value if step == 1 else _floor(db, value / float(step))).label("step")
    rows = [
        (int(number), int(count))
        for number, count in db.execute(
            select(group, func.count()).where(*where).group_by(group).order_by(group)
        )
    ]
    total, found, seen = sum(count for _, count in rows), list[float](), 0
    ends = iter(rows)
    number = 0
    for share in shares:
        while seen < share * total:
            number, count = next(ends)
            seen += count
        found.append(float(number * step))
    return found


def top_runs(db: Connection, where: Conditions, order: Any, most: int) -> list[Row]:
    """The figures of the first runs in an order."""
    query = select(FIGURES).where(*where).order_by(order, _RUN.run_id).limit(most)
    return [dict(row) for row in db.execute(query).mappings()]


def _sums() -> list[ColumnElement[Any]]:
    """What every group is described by."""
    run, count = _RUN, func.count
    labelled, agrees = run.correct.is_not(None), run.agreement >= 0.5
    judged = and_(labelled, run.risk.is_not(None))
    wrong = run.correct == 0
    flags = {
        "thought": run.thought,
        "refined": run.refined,
        "reviewed": run.reviewed,
        "failed": run.failed,
        "began_fast": run.began_fast,
        "escalated": and_(run.began_fast, run.thought),
        "accepted": run.verdict == "accept",
        "gave_up": run.verdict == "give_up",
        "stopped": run.stopped_by.is_not(None),
        "labelled": labelled,
        "wrong": wrong,
        "judged": judged,
        "judged_wrong": and_(judged, wrong),
        "checked": run.agreement.is_not(None),
        "agreed": agrees,
        "agreed_labelled": and_(agrees, labelled),
        "agreed_wrong": and_(agrees, wrong),
        "differed_labelled": and_(run.agreement < 0.5, labelled),
        "differed_wrong": and_(run.agreement < 0.5, wrong),
    }
    totals = ("input_tokens", "output_tokens", "reasoning_tokens", "total_tokens", "calls", "milliseconds")
    return [
        count().label("runs"),
        *(func.sum(case((flag, 1), else_=0)).label(name) for name, flag in flags.items()),
        *(func.sum(run[name]).label(name) for name in totals),
        func.sum(run.cost_usd).label("cost_usd"),
        count(run.cost_usd).label("priced"),
        func.sum(case((judged, run.risk), else_=0.0)).label("judged_risk"),
    ]


def _numbers(row: Row) -> Row:
    """Plain numbers: Postgres gives sums as decimals, and nothing for a sum of nothing."""
    real = {"cost_usd", "judged_risk"}
    return {name: float(value or 0.0) if name in real else int(value or 0) for name, value in row.items()}


def _floor(db: Connection, value: Any) -> Any:
    """Rounded down, of what is not negative: SQLite cuts off where Postgres would round."""
    return cast(value if db.dialect.name == "sqlite" else func.floor(value), Integer)


def _whole(first: float, last: float) -> int:
    return int((last - first) / (_MOST_WINDOWS - 2)) + 1
