import math

import numpy as np
import pytest
from logprob_answers import FORTY_TWO, answer, entry

from adaptive_reasoner.errors import ConfigurationError, LogprobsUnavailableError
from adaptive_reasoner.uncertainty import (
    TokenLogprob,
    TokenLogprobs,
    measure,
    measure_batch,
    parse_response,
    score_tokens,
)


def parsed(text: str, *pairs: tuple[str, float, dict[str, float]]) -> TokenLogprobs:
    return parse_response(answer(text, [entry(*pair) for pair in pairs]))


def test_the_answer_span_its_first_token_and_the_whole_are_measured():
    measures = measure(parse_response(answer("Answer: 42", FORTY_TWO)))

    # " 4": .6, .3, .05 and .05 unseen; "2": .9, .1
    first = -sum(p * math.log(p) for p in (0.6, 0.3, 0.05, 0.05))
    second = -sum(p * math.log(p) for p in (0.9, 0.1))
    assert measures.answer.token_count == 2
    assert measures.answer.entropy_lower == pytest.approx((first + second) / 2)
    assert measures.first.entropy_lower == pytest.approx(first)
    assert measures.whole.entropy_lower == pytest.approx((first + second) / 4)
    assert measures.answer.entropy_max == pytest.approx(first)
    assert measures.answer.margin_mean == pytest.approx((0.3 + 0.8) / 2)
    assert measures.answer.margin_min == pytest.approx(0.3)
    assert measures.answer.covered_mass == pytest.approx(0.95)
    assert measures.answer.min_probability == pytest.approx(0.6)
    assert measures.answer.perplexity == pytest.approx(1 / math.sqrt(0.6 * 0.9))


def test_varentropy_is_the_variance_of_the_surprise():
    measures = measure(parsed("42", ("42", 0.5, {"43": 0.25, "44": 0.25})))

    # surprises ln 2, 2 ln 2, 2 ln 2 with the mean 1.5 ln 2: variance .25 (ln 2)^2
    assert measures.answer.varentropy == pytest.approx(0.25 * math.log(2) ** 2)


def test_what_is_not_listed_is_one_more_surprise():
    measures = measure(parsed("42", ("42", 0.5, {"43": 0.25})))

    # the same as above: the quarter that is left counts as one token
    assert measures.answer.varentropy == pytest.approx(0.25 * math.log(2) ** 2)


def test_equally_probable_tokens_have_no_varentropy_and_no_margin():
    measures = measure(parsed("4", ("4", 0.5, {"5": 0.5})))

    assert measures.answer.varentropy == pytest.approx(0.0, abs=1e-12)
    assert measures.answer.margin_mean == pytest.approx(0.0)


def test_a_token_listed_alone_may_have_a_rival_with_all_that_is_left():
    surer, unsure = measure(parsed("4", ("4", 0.7, {}))), measure(parsed("4", ("4", 0.4, {})))

    assert surer.answer.margin_min == pytest.approx(0.4)
    assert unsure.answer.margin_min == 0.0


def test_a_token_listed_alone_has_that_rival_beside_longer_lists_too():
    alone = TokenLogprob("4", math.log(0.7), [("4", math.log(0.7))])
    listed = TokenLogprob("2", math.log(0.6), [("2", math.log(0.6)), ("3", math.log(0.4))])

    assert measure([alone, listed], "whole").whole.margin_mean == pytest.approx((0.4 + 0.2) / 2)


def test_what_is_no_log_probability_counts_as_impossible():
    token = TokenLogprob("4", math.log(0.7), [("4", math.log(0.7)), ("5", -1e200)])

    assert measure([token, token], "whole").whole.covered_mass == pytest.approx(0.7)
    assert measure([token], "whole").whole.varentropy == pytest.approx(0.7 * 0.3 * math.log(0.7 / 0.3) ** 2)


def test_quantiles_interpolate_between_tokens():
    tokens = [TokenLogprob(str(n), -float(n)) for n in range(5)]

    measures = measure(tokens, "whole")

    # -4 … 0: the quantile at .1 lies .4 of the way from -4 to -3
    assert measures.whole.logprob_q10 == pytest.approx(-3.6)
    assert measures.whole.logprob_q25 == pytest.approx(-3.0)
    assert measures.whole.logprob_q50 == pytest.approx(-2.0)


def confident(c: float) -> TokenLogprob:
    """A token whose list holds two tokens of the log probability -c each: its confidence is c."""
    return TokenLogprob("x", -float(c), [("x", -float(c)), ("y", -float(c))])


def test_groups_slide_over_the_answer():
    tokens = [confident(c) for c in (9, 1, 5, 3, 7)]

    measures = measure(tokens, "whole", window=2)

    # means of two: 5, 3, 4, 5; a tenth of four groups is one at least
    assert measures.whole.confidence_lowest == pytest.approx(3)
    assert measures.whole.confidence_bottom == pytest.approx(3)
    assert measures.whole.confidence_tail == pytest.approx(5)
    assert measures.whole.confidence_window == 2


def test_the_bottom_is_the_mean_of_a_tenth_of_the_groups():
    tokens = [confident(c) for c in (*range(20, 0, -1), 30)]

    assert measure(tokens, "whole", window=1).whole.confidence_bottom == pytest.approx((1 + 2) / 2)


def test_an_answer_shorter_than_a_window_is_one_group():
    measures = measure([confident(2), confident(4)], "whole", window=2048)

    assert measures.whole.confidence_window == 2
    assert measures.whole.confidence_lowest == measures.whole.confidence_tail == pytest.approx(3)


def test_a_list_of_one_says_nothing_about_confidence():
    measures = measure([TokenLogprob("4", -0.5), confident(4), confident(6)], "whole", window=1)

    assert measures.whole.confidence_lowest == pytest.approx(4)
    assert math.isnan(measure([TokenLogprob("4", -0.5)]).whole.confidence_lowest)


def test_copies_of_an_answer_after_itself_change_no_mean_and_no_quantile():
    tokens = [TokenLogprob("a", math.log(0.9), [("a", math.log(0.9)), ("b", math.log(0.1))])] * 3

    once, often = measure(tokens, "whole").whole, measure(tokens * 50, "whole").whole

    for name in ("entropy_lower", "entropy_upper", "varentropy", "perplexity", "margin_mean", "logprob_q10"):
        assert getattr(often, name) == pytest.approx(getattr(once, name))


def test_a_batch_gives_each_answer_what_it_gets_alone():
    answers = [
        parse_response(answer("Answer: 42", FORTY_TWO)),
        parsed("7", ("7", 0.9, {"8": 0.1})),
        parse_response({"choices": []}),
        parsed(
            "{'a': 1, 'b': 2}",
            ("{'a': ", 1.0, {}),
            ("1", 0.5, {"3": 0.5}),
            (", 'b': ", 0.4, {}),
            ("2}", 0.8, {}),
        ),
    ]

    batch = measure_batch(answers)

    assert batch.known.tolist() == [True, True, False, True]
    for part in ("answer", "first", "whole"):
        for index in (0, 1, 3):
            alone = getattr(measure(answers[index]), part)
            for name in alone.__slots__:
                together = getattr(getattr(batch, part), name)[index]
                assert together == pytest.approx(getattr(alone, name), nan_ok=True), name
        assert np.isnan(getattr(batch, part).entropy_lower[2])


def test_an_answer_in_pieces_is_measured_without_what_lies_between():
    tokens = parsed(
        "{'a': 1, 'b': 2}", ("{'a': ", 1.0, {}), ("1", 0.5, {}), (", 'b': ", 0.1, {}), ("2}", 0.8, {})
    )

    measures = measure(tokens)

    assert measures.answer.token_count == 2
    assert measures.answer.min_probability == pytest.approx(0.5)


def test_a_signal_and_the_measures_agree():
    tokens = parse_response(answer("Answer: 42", FORTY_TWO))

    signal, part = score_tokens(tokens), measure(tokens).answer

    assert signal["entropy_nats"]["lower"] == pytest.approx(part.entropy_lower)
    assert signal["entropy_nats"]["upper"] == pytest.approx(part.entropy_upper)
    assert signal["covered_mass"] == pytest.approx(part.covered_mass)
    assert signal["min_probability"] == pytest.approx(part.min_probability)
    assert signal["perplexity"] == pytest.approx(part.perplexity)
    assert signal["token_count"] == part.token_count


def test_nothing_to_measure_is_an_error_with_the_reason():
    with pytest.raises(LogprobsUnavailableError, match="no log probabilities arrived"):
        measure(parse_response({"choices": []}))
    with pytest.raises(LogprobsUnavailableError):
        measure([])


def test_a_batch_may_be_empty_or_unknown():
    assert measure_batch([]).known.shape == (0,)
    assert np.isnan(measure_batch([parse_response({"choices": []})]).whole.perplexity).tolist() == [True]


def test_a_window_holds_a_token():
    with pytest.raises(ConfigurationError, match="at least 1"):
        measure([TokenLogprob("4", -0.5)], window=0)
