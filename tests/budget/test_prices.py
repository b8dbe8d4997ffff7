"""What a call costs, and price tables that cannot be used."""

import json

import pytest

from adaptive_reasoner.budget import Price, PriceTable
from adaptive_reasoner.errors import InvalidInputError


def test_a_cost_by_hand():
    price = Price(input=2.0, output=8.0, cached_input=0.5, cache_write=2.5)
    assert price.cost(1_000_000, 500_000) == 6.0
    assert price.cost(1_000_000, 0, 400_000, 100_000) == pytest.approx(1.0 + 0.2 + 0.25)
    assert price.worst_cost(1_000_000, 1_000_000) == 10.5
    assert Price(2.0, 8.0).worst_cost(1_000_000, 0) == 2.0


def test_a_snapshot_costs_what_its_model_costs():
    table = PriceTable({"gpt-4.1": Price(2.0, 8.0), "claude-haiku-4-5": Price(1.0, 5.0)})
    assert table.price_of("gpt-4.1-2025-04-14") == Price(2.0, 8.0)
    assert table.price_of("claude-haiku-4-5-20251001") == Price(1.0, 5.0)
    assert table.price_of("gpt-4.1-mini") is None
    assert table.price_of("gpt-4") is None


def test_the_shipped_table_names_where_each_price_is_from(repository):
    rows = json.loads((repository / "adaptive_reasoner" / "budget" / "prices.json").read_text())
    assert all(row["source"].startswith("https://") and row["as_of"] >= "2026" for row in rows.values())
    assert set(PriceTable.shipped()) == set(rows)
    assert PriceTable.shipped()["gpt-4.1-mini"] == Price(0.4, 1.6, 0.1)


def test_the_users_file_replaces_the_shipped_table(tmp_path, monkeypatch):
    path = tmp_path / "prices.json"
    path.write_text('{"mine": {"input": 0, "output": 1.5, "note": "by contract"}}')
    monkeypatch.setenv("ADAPTIVE_REASONER_PRICES", str(path))
    assert dict(PriceTable.default()) == {"mine": Price(0.0, 1.5)}
    monkeypatch.delenv("ADAPTIVE_REASONER_PRICES")
    assert PriceTable.default() is PriceTable.shipped()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no price table"),
        ("[1, 2]", "is no price table"),
        ('{"tiny": 3}', "'tiny' is no price"),
        ('{"tiny": {"input": 1}}', "'tiny' is no price"),
        ('{"tiny": {"input": -1, "output": 1}}', "has the price -1"),
        ('{"tiny": {"input": NaN, "output": 1}}', "has the price nan"),
        ('{"tiny": {"input": "1", "output": 1}}', "has the price '1'"),
        ('{"tiny": {"input": 1, "output": true}}', "has the price True"),
        ('{"tiny": {"input": 1, "output": 1, "cached_input": Infinity}}', "has the price inf"),
    ],
)
def test_a_corrupt_table_is_one_clear_error(tmp_path, text, said):
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=said):
        PriceTable.load(path)


def test_a_missing_table_is_one_clear_error(tmp_path):
    with pytest.raises(InvalidInputError, match=r"Cannot read the prices .*No such file"):
        PriceTable.load(tmp_path / "none.json")
