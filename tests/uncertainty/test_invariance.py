"""What must not change an answer's measures and its verdict, for any numbers (property tests)."""

import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adaptive_reasoner.config import Situation
from adaptive_reasoner.errors import AdaptiveReasonerError
from adaptive_reasoner.gate import GateProfile
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.uncertainty import TokenLogprob, TokenLogprobs, measure, parse_response, score_tokens
from adaptive_reasoner.uncertainty.entropy import entropy_bounds

PROFILES = [GateProfile.default(), profile_for("adaptive-reasoner-embedded")]
SITUATIONS = [
    Situation(mode="fast", can_refine=True, can_escalate=True, can_review=False),
    Situation(mode="deep", can_refine=False, can_escalate=False, can_review=True),
]

BASE = "The answer is "


def verdicts(signal: Any) -> list[str]:
    return [profile.decide(signal, one).verdict for profile in PROFILES for one in SITUATIONS]


def listed(token: str, p: float, rest: list[float] | None = None) -> TokenLogprob:
    """A token of probability p; the others share what is left by their weights."""
    total = sum(rest or [])
    others = [(f"<{n}>", math.log((1 - p) * w / total)) for n, w in enumerate(rest or []) if p < 1]
    return TokenLogprob(token, math.log(p), [(token, math.log(p)), *others])


def entries(tokens: list[TokenLogprob]) -> list[dict[str, Any]]:
    return [
        {
            "token": token.token,
            "logprob": token.logprob,
            "bytes": list(token.token.encode()),
            "top_logprobs": [
                {"token": text, "logprob": logprob, "bytes": list(text.encode())}
                for text, logprob in token.top
            ],
        }
        for token in tokens
    ]


def response(tokens: list[TokenLogprob], text: str | None = None) -> dict[str, Any]:
    shown = "".join(token.token for token in tokens) if text is None else text
    message = {"role": "assistant", "content": shown}
    return {"choices": [{"index": 0, "message": message, "logprobs": {"content": entries(tokens)}}]}


probability = st.floats(0.02, 0.999)
weights = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=19)
digits = st.lists(
    st.tuples(st.sampled_from("0123456789"), probability, weights).map(lambda one: listed(*one)),
    min_size=1,
    max_size=6,
)


@given(st.lists(st.floats(0.0, 30.0), min_size=2, max_size=400), st.data())
def test_bounds_contain_the_entropy_of_any_distribution_cut_off_anywhere(
    surprises: list[float], data: st.DataObject
):
    mass = np.exp(-np.array(surprises))
    distribution = np.sort(mass / mass.sum())[::-1]
    true_entropy = float(-(distribution * np.log(distribution)).sum())
    kept = data.draw(st.integers(1, len(distribution)))
    vocabulary = data.draw(st.sampled_from([len(distribution), 50_000, 200_000]))

    lower, upper, covered = entropy_bounds(np.log(distribution[None, :kept]), vocabulary)

    assert lower[0] - 1e-9 <= true_entropy <= upper[0] + 1e-9
    assert covered[0] == pytest.approx(distribution[:kept].sum())


@given(st.lists(st.floats(0.0, 30.0), min_size=3, max_size=60), st.data())
def test_a_longer_list_narrows_the_bounds(surprises: list[float], data: st.DataObject):
    mass = np.exp(-np.array(surprises))
    ranked = np.log(np.sort(mass / mass.sum())[::-1])
    kept = data.draw(st.integers(1, len(ranked) - 1))

    shorter = entropy_bounds(ranked[None, :kept])
    longer = entropy_bounds(ranked[None, : kept + 1])

    assert longer[0][0] >= shorter[0][0] - 1.4e-5  # 1e-6 ln(1e6): a smaller tail counts above only
    assert longer[1][0] <= shorter[1][0] + 1e-9


@given(digits, st.randoms(use_true_random=False))
def test_the_order_of_top_lists_changes_nothing(tokens: list[TokenLogprob], random: Any):
    prefix = [listed(BASE, 1.0)]
    shuffled = [
        TokenLogprob(token.token, token.logprob, random.sample(token.top, len(token.top))) for token in tokens
    ]

    signal = score_tokens(parse_response(response(prefix + tokens)))
    other = score_tokens(parse_response(response(prefix + shuffled)))

    assert other == signal
    assert verdicts(other) == verdicts(signal)


@given(
    digits, st.lists(st.sampled_from([".", "\n", "**", " ", "  \n", "`"]), max_size=3), st.floats(0.9999, 1.0)
)
def test_certain_format_tokens_after_the_answer_change_no_verdict(
    tokens: list[TokenLogprob], marks: list[str], p: float
):
    plain = [listed(BASE, 1.0), *tokens]
    marked = [*plain, *(listed(mark, p) for mark in marks)]

    signal, other = (score_tokens(parse_response(response(one))) for one in (plain, marked))

    assert other == signal
    assert verdicts(other) == verdicts(signal)


@given(digits, st.sampled_from(["<|im_end|>", "</s>", "<|eot_id|>", "<end_of_turn>"]), st.booleans())
def test_an_end_mark_changes_no_verdict_shown_or_not(tokens: list[TokenLogprob], mark: str, shown: bool):
    plain = [listed(BASE, 1.0), *tokens]
    text = "".join(token.token for token in plain)

    signal = score_tokens(parse_response(response(plain)))
    other = score_tokens(
        parse_response(response([*plain, listed(mark, 1.0)], text + mark if shown else text))
    )

    assert other == signal
    assert verdicts(other) == verdicts(signal)


@given(probability, weights)
def test_closing_markup_changes_no_verdict(p: float, rest: list[float]):
    digit = listed("7", p, rest)
    frames = [
        ("{'sol': '", "'}"),
        ("\\boxed{", "}"),
        ("<answer>", "</answer>"),
        ('{"answer": ', "}"),
        ("**", "**"),
    ]

    signals = [
        score_tokens(parse_response(response([listed(before, 1.0), digit, listed(after, 1.0)])))
        for before, after in frames
    ]

    for signal in signals:
        assert signal["token_count"] == 1
        assert signal["min_probability"] == signals[0]["min_probability"]
        assert signal["entropy_nats"] == signals[0]["entropy_nats"]
        assert verdicts(signal) == verdicts(signals[0])


def split(token: TokenLogprob, place: int) -> list[TokenLogprob]:
    """The token as two: by the chain rule, first its beginning with the whole choice, then what is then certain."""
    head, tail = token.token[:place], token.token[place:]
    first = [(head, token.logprob), *((text, logprob) for text, logprob in token.top if text != token.token)]
    return [TokenLogprob(head, token.logprob, first), TokenLogprob(tail, 0.0, [(tail, 0.0)])]


@given(st.integers(10, 99_999), probability, weights, st.data())
def test_a_token_cut_in_two_by_the_chain_rule_keeps_verdict_and_sums(
    number: int, p: float, rest: list[float], data: st.DataObject
):
    whole = listed(str(number), p, rest)
    place = data.draw(st.integers(1, len(whole.token) - 1))
    prefix = listed(BASE, 1.0)

    signal = score_tokens(parse_response(response([prefix, whole])))
    other = score_tokens(parse_response(response([prefix, *split(whole, place)])))

    assert other["min_probability"] == pytest.approx(signal["min_probability"])
    assert other["token_count"] * math.log(other["perplexity"]) == pytest.approx(
        math.log(signal["perplexity"])
    )
    assert other["token_count"] * other["entropy_nats"]["lower"] == pytest.approx(
        signal["entropy_nats"]["lower"]
    )
    for profile in PROFILES:  # sums of floats may differ in the last place: not on a threshold
        for situation in SITUATIONS:
            before, after = profile.decide(signal, situation), profile.decide(other, situation)
            assume(before.risk is None or abs(before.risk - (after.risk or 0.0)) < 1e-9)
            assert after.verdict == before.verdict


numbers = st.one_of(st.floats(), st.sampled_from([-9999.0, 0.0, -0.0, -math.inf, math.nan, 1e308, -1e308]))
any_top = st.lists(st.tuples(st.text(max_size=3), numbers), max_size=4)
any_token = st.builds(
    TokenLogprob, st.text(max_size=4), numbers, any_top, st.one_of(st.none(), st.binary(max_size=4))
)
any_span = st.one_of(
    st.sampled_from(["auto", "whole", "", "(", r"\d", "(a)?", r"(?P<x>.)"]), st.text(max_size=6)
)


@given(st.lists(any_token, max_size=6), any_span)
def test_bare_tokens_of_any_kind_raise_nothing_but_our_errors(tokens: list[TokenLogprob], span: str):
    for call in (score_tokens, measure):
        with suppress(AdaptiveReasonerError):
            call(tokens, span)


@given(st.lists(any_token, max_size=6), st.text(max_size=12), any_span, st.booleans(), st.booleans())
def test_answers_of_any_kind_raise_nothing_but_our_errors(
    tokens: list[TokenLogprob], text: str, span: str, trusted: bool, is_tool_call: bool
):
    made = TokenLogprobs(tokens, text, trusted, None, is_tool_call)
    for call in (score_tokens, measure):
        with suppress(AdaptiveReasonerError):
            call(made, span)
