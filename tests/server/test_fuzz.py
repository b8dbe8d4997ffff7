"""The API tried with what its own document allows and forbids; `benchmarks/api_fuzz.py` does the same at length."""

import random

import pytest
from measuring.schema_cases import Cases

from adaptive_reasoner.server.wire.requests import ChatCompletionRequest


@pytest.mark.fuzz
@pytest.mark.slow
def test_no_request_breaks_the_server():
    from api_fuzz import fuzz

    counts, wrong = fuzz(150, 7, schemathesis_share=0)
    assert wrong == []
    assert sum(counts.values()) == 150
    answered = sum(number for (*_, status), number in counts.items() if 200 <= status < 300)
    assert answered >= 30


@pytest.mark.fuzz
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_no_request_of_schemathesis_breaks_the_server():
    pytest.importorskip("schemathesis", reason="needs the dependency group `server-tests`")
    utils = pytest.importorskip("hypothesis.internal.conjecture.utils")
    if not hasattr(utils.many, "more"):
        pytest.skip("hypothesis-jsonschema does not know this hypothesis yet; 6.151 works")
    from api_fuzz import fuzz

    counts, wrong = fuzz(100, 7, schemathesis_share=0.5)
    assert wrong == []
    assert sum(counts.values()) >= 90


def test_what_keeps_to_the_document_is_a_request_and_what_breaks_it_mostly_is_none():
    schema = ChatCompletionRequest.model_json_schema()
    cases = Cases(schema, random.Random(3))
    for _ in range(300):
        ChatCompletionRequest.model_validate(cases.conforming(schema))
    refused = 0
    for _ in range(300):
        try:
            ChatCompletionRequest.model_validate(cases.broken(schema))
        except ValueError:
            refused += 1
    assert refused > 150
