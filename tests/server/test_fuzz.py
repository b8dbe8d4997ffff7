"""The API tried with what its own document allows and forbids; `benchmarks/api_fuzz.py` does the same at length."""

import pytest

pytestmark = [pytest.mark.fuzz, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_no_request_breaks_the_server():
    pytest.importorskip("schemathesis", reason="needs the dependency group `server-tests`")
    utils = pytest.importorskip("hypothesis.internal.conjecture.utils")
    if not hasattr(utils.many, "more"):
        pytest.skip("hypothesis-jsonschema does not know this hypothesis yet; 6.151 works")
    from api_fuzz import fuzz

    counts, wrong = fuzz(100, 7)
    assert wrong == []
    assert sum(counts.values()) >= 90
