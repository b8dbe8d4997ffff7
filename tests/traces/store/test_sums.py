"""The sums of a report, made along indexes, against those made row by row, on a store of random runs."""

import math
import random

import pytest
from alembic import command
from alembic.config import Config
from recorded_runs import judged, run, usage
from sqlalchemy import select, text

from adaptive_reasoner.traces.overview import overview
from adaptive_reasoner.traces.store import TraceStore, open_database, schema
from adaptive_reasoner.traces.store.reading import Chosen
from adaptive_reasoner.traces.store.tables import FIGURES

COUNT = 400


def random_run(index, draw):
    risks = None, 0.0, 0.05, 0.4, 0.95, 1.0
    verdicts = draw.choice(["accept", "give_up", "review"]), draw.choice(["escalate", "refine"])
    costs = usage(draw.randrange(3, 5000), draw.choice([None, 0.5, 0.001]))
    last = judged(draw.choice(["fast", "deep"]), verdicts[0], risk=draw.choice(risks), usage=costs)
    first = [judged("fast", verdicts[1], "41", risk=0.5)] if draw.random() < 0.3 else []
    return run(
        draw.randrange(20_000),
        *first,
        last,
        run_id=f"run-{index}",
        tenant=draw.choice([None, "", "acme", "1:acme|"]),
        models=[draw.choice(["tiny", "large"])] * (1 + len(first)),
        rationale_agreement=draw.choice([None, 0.0, 0.4, 1.0]),
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    url, draw = f"sqlite:///{tmp_path_factory.mktemp('sums') / 'runs.sqlite'}", random.Random(0)
    with TraceStore(url) as store:
        for index in range(COUNT):
            store.record(random_run(index, draw))
        for index in range(0, COUNT, 3):  # labels of runs that are there already, some twice
            store.record({"run_id": f"run-{index}", "correct": draw.random() < 0.5})
            if index % 2:
                store.record({"run_id": f"run-{index}", "correct": draw.random() < 0.5})
        store.flush()
    return url


def rows_of(url):
    database = open_database(url)
    with database.reading() as db:
        rows = [dict(row) for row in db.execute(select(FIGURES).order_by(FIGURES.c.run_id)).mappings()]
    database.close()
    return rows


def share(rows, of, holds):
    trials = [row for row in rows if of(row)]
    return sum(map(holds, trials)), len(trials)


def expected(rows):
    """(events, trials) of every rate, and the sums, from whole rows."""
    labelled, judged_rows = (lambda row: row["correct"] is not None), [
        row for row in rows if row["correct"] is not None and row["risk"] is not None
    ]  # fmt: skip
    agreed = {
        True: lambda row: (row["agreement"] or 0) >= 0.5,
        False: lambda row: (row["agreement"] or 0) < 0.5,
    }
    checked = [row for row in rows if row["agreement"] is not None]
    return {
        "thinking": share(rows, lambda _: True, lambda row: row["thought"]),
        "error": share(rows, labelled, lambda row: row["correct"] == 0),
        "escalated": share(rows, lambda row: row["began_fast"], lambda row: row["thought"]),
        "refined": share(rows, lambda _: True, lambda row: row["refined"]),
        "reviewed": share(rows, lambda _: True, lambda row: row["reviewed"]),
        "gave_up": share(rows, lambda _: True, lambda row: row["verdict"] == "give_up"),
        "wrong": share(judged_rows, lambda _: True, lambda row: row["correct"] == 0),
        "agreed": share(checked, lambda _: True, agreed[True]),
        "error_where_agreed": share(
            checked, lambda row: labelled(row) and agreed[True](row), lambda row: row["correct"] == 0
        ),
        "error_where_not": share(
            checked, lambda row: labelled(row) and agreed[False](row), lambda row: row["correct"] == 0
        ),
        "total_tokens": sum(row["total_tokens"] for row in rows),
        "known_usd": pytest.approx(sum(row["cost_usd"] or 0 for row in rows)),
        "unknown": sum(row["cost_usd"] is None for row in rows),
        "predicted": pytest.approx(sum(row["risk"] for row in judged_rows) / len(judged_rows))
        if judged_rows
        else None,
    }


def told(figures):
    """The same of an overview, or of a part of it."""
    rates = {
        **{name: figures[name] for name in ("thinking", "error")},
        **{name: figures["triggers"][name] for name in ("escalated", "refined", "reviewed", "gave_up")},
        "wrong": figures["calibration"]["wrong"],
        **figures["rationale"],
    }
    return {
        **{name: (one["events"], one["trials"]) for name, one in rates.items()},
        "total_tokens": figures["spend"]["total_tokens"],
        "known_usd": figures["spend"]["known_usd"],
        "unknown": figures["spend"]["runs_of_unknown_cost"],
        "predicted": figures["calibration"]["predicted"],
    }


def overview_of(url, chosen=None):
    database = open_database(url)
    figures = overview(database, chosen or Chosen())
    database.close()
    return figures


def test_all_runs_add_up_to_what_their_rows_do(url):
    figures, rows = overview_of(url), rows_of(url)
    assert (figures["runs"], len(rows)) == (COUNT, COUNT)
    assert told(figures) == expected(rows)


def test_each_group_and_each_window_adds_up(url):
    figures, rows = overview_of(url), rows_of(url)
    for part, column in (("tenants", "tenant"), ("models", "model")):
        assert {one["name"]: told(one) for one in figures[part]} == {
            name: expected([row for row in rows if row[column] == name])
            for name in {row[column] for row in rows}
        }
    width, first = figures["window_seconds"], min(row["recorded_at"] for row in rows)
    by_window = {}
    for row in rows:
        by_window.setdefault((row["recorded_at"] - first // width * width) // width, []).append(row)
    assert [told(one) for one in figures["windows"]] == [
        expected(by_window[key]) for key in sorted(by_window)
    ]


def test_quantiles_are_exact(url):
    values = sorted(row["total_tokens"] for row in rows_of(url))
    quantiles = [float(values[math.ceil(share * COUNT) - 1]) for share in (0.5, 0.95, 0.99)]
    assert [overview_of(url)["tokens"][name] for name in ("p50", "p95", "p99")] == quantiles


def test_chosen_runs_add_up_as_well(url):
    rows = [row for row in rows_of(url) if row["tenant"] == "acme"]
    middle = sorted(row["recorded_at"] for row in rows)[len(rows) // 2]
    figures = overview_of(url, Chosen(tenant="acme", since=middle))
    assert told(figures) == expected([row for row in rows if row["recorded_at"] >= middle])


def test_a_store_of_the_first_schema_is_numbered_as_new_runs_are(url):
    before, figures = rows_of(url), overview_of(url)
    settings = Config()
    settings.set_main_option("script_location", str(schema.MIGRATIONS))
    database = open_database(url)
    with database.writing() as db:
        settings.attributes["connection"] = db
        command.downgrade(settings, "0001")
    with database.reading() as db:
        assert "stratum" not in db.execute(text(f"SELECT * FROM {FIGURES.name} LIMIT 1")).keys()  # noqa: SIM118
    database.close()
    assert rows_of(url) == before  # opening migrates
    assert overview_of(url) == figures
