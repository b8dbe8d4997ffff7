"""The first answer token of an API that lists its likeliest ones, ranked anew by a pair of guiders."""

import math
from pathlib import Path

import pytest
from langchain_openai import ChatOpenAI

from adaptive_reasoner.errors import ConfigurationError, LogprobsUnavailableError
from adaptive_reasoner.testing import Reply, ScriptedChatModel, serve_openai
from adaptive_reasoner.uncertainty import parse_response

pytest.importorskip("torch", reason="guiders need the extra `local`")
pytest.importorskip("transformers", reason="guiders need the extra `local`")

from tiny_folders import save_folder

from adaptive_reasoner.decoding import LocalOptions, next_logprobs, rerank_first_token
from adaptive_reasoner.decoding.local_model import LocalModel, load_local_model

pytestmark = pytest.mark.train
TOP = [("A", math.log(0.6)), ("B", math.log(0.3))]


def test_scores_are_the_formulas() -> None:
    expert = {"A": math.log(0.1), "B": math.log(0.4)}.get
    base = {"A": math.log(0.2), "B": math.log(0.2)}.get
    found = rerank_first_token(TOP, expert, base)
    # .6 * .1/.2 = .3 for A and .3 * .4/.2 = .6 for B: thirds once they add up to one.
    assert found.token == "B"
    assert [token for token, _ in found.ranking] == ["B", "A"]
    assert [math.exp(logprob) for _, logprob in found.ranking] == pytest.approx([2 / 3, 1 / 3])
    assert found.covered_mass == pytest.approx(0.9)
    assert found.unmoved == ()


def test_strength_nought_keeps_the_targets_order() -> None:
    found = rerank_first_token(TOP, {"A": -9.0, "B": 0.0}.get, {"A": 0.0, "B": -9.0}.get, alpha=0.0)
    assert found.token == "A"
    assert math.exp(found.logprob) == pytest.approx(2 / 3)


def test_a_token_that_a_guider_lacks_keeps_its_score() -> None:
    found = rerank_first_token(TOP, {"B": -1.0}.get, {"A": -3.0, "B": -1.0}.get)
    assert found.unmoved == ("A",)
    assert found.token == "A"


def test_wrong_input_is_one_clear_error() -> None:
    with pytest.raises(LogprobsUnavailableError, match="top_logprobs=20"):
        rerank_first_token([], {}.get, {}.get)
    with pytest.raises(ConfigurationError, match="finite"):
        rerank_first_token(TOP, {}.get, {}.get, alpha=math.nan)


@pytest.fixture
def guiders(tmp_path: Path) -> list[LocalModel]:
    return [
        load_local_model(save_folder(tmp_path / name, seed), LocalOptions()) for seed, name in enumerate("eb")
    ]


def test_an_endpoints_first_token_is_ranked_by_local_guiders(guiders: list[LocalModel]) -> None:
    reply = Reply(text="A", probability=0.7)
    with serve_openai(ScriptedChatModel([reply])) as endpoint:
        model = ChatOpenAI(model="scripted", base_url=endpoint.base_url, api_key="none", max_retries=0)
        answer = model.invoke("A or B?", logprobs=True, top_logprobs=5)
    top = parse_response(answer).tokens[0].top
    prompt = guiders[0].tokenizer("A or B?")["input_ids"]
    found = rerank_first_token(top, *(next_logprobs(guider, prompt) for guider in guiders))
    expert, base = (next_logprobs(guider, prompt) for guider in guiders)
    for token, logprob in top:
        moved = found.ranking[[t for t, _ in found.ranking].index(token)][1] - found.ranking[0][1]
        best = dict(top)[found.token] + (expert(found.token) or 0) - (base(found.token) or 0)
        wanted = logprob if token in found.unmoved else logprob + (expert(token) or 0) - (base(token) or 0)
        assert moved == pytest.approx(wanted - best, abs=1e-5)
    assert 0 < found.covered_mass <= 1
