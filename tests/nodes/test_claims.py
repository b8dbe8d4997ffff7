"""Claims: whoever takes one first may act on it, once."""

from concurrent.futures import ThreadPoolExecutor

from adaptive_reasoner.nodes.claims import Claims


def test_a_claim_is_taken_once():
    claims = Claims()
    claim = claims.new()
    assert [claims.take(claim), claims.take(claim)] == [True, False]


def test_a_claim_of_another_process_is_not_taken():
    assert not Claims().take(Claims().new())
    assert not Claims().take(None)


def test_a_claim_that_is_given_back_is_taken_once_more():
    claims = Claims()
    claim = claims.new()
    claims.take(claim)
    claims.give_back(claim)
    assert [claims.take(claim), claims.take(claim)] == [True, False]


def test_threads_do_not_share_a_claim():
    claims = Claims()
    claim = claims.new()
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: claims.take(claim), range(64))) == 1
