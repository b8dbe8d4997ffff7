"""What the trace store's benchmark counts, on a handful of runs."""

import pytest
from measuring.stored_runs import as_fast_as_it_goes, counted, fill_up, paced, real_runs, varied


@pytest.fixture(scope="module")
def runs(shipped_weights):
    return real_runs(3, seed=0)


def test_varied_runs_have_ids_and_rising_times_of_their_own(runs):
    records = [record for record, _ in varied(runs, 50, seed=1)]
    assert len({record["run_id"] for record in records}) == 50
    times = [record["recorded_at"] for record in records]
    assert times == sorted(times)
    assert [record for record, _ in varied(runs, 50, seed=1)] == records


def test_what_is_stored_is_counted_and_filled_up(runs, tmp_path):
    url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    assert paced(url, runs, a_second=50, seconds=1)["calls"] == 50
    found = as_fast_as_it_goes(url, runs, 20, labelled=1.0)
    assert (found["records"], found["labels"]) == (20, 20)
    filled = fill_up(url, 200)
    assert (filled["runs"], filled["copied"]) == (200, 130)
    assert counted(url) == {"rows": 200, "runs": 200, "figures": 200}
