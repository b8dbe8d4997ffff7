"""One pair of models on one side: what is fitted on the other side, and every policy at every share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from measuring.real_models import Side, load_side
from measuring.streams import Flags, Floats, Stream, orders, play, stream_of

from adaptive_reasoner.budget import ThinkingShare, TokensPerQuery, solve_price
from adaptive_reasoner.config import Allocation, ReasonerConfig
from adaptive_reasoner.gate.calibration import calibrate
from adaptive_reasoner.state import Triage
from adaptive_reasoner.traces.replay import replay
from adaptive_reasoner.training.triage.examples import TriageExample
from adaptive_reasoner.training.triage.fitting import (
    choose_recipe,
    fit_estimator,
    outcomes_of,
    predict_left_out,
)
from adaptive_reasoner.training.triage.train import RECIPES
from adaptive_reasoner.triage.linear import FEATURE_SETS, LinearEstimator

SHARES = (0.1, 0.2, 0.3, 0.5)
OURS, AT_ONCE, TOKENS = "triage + gate + budget", "… some at once", "… by tokens"
PLAIN = "gate + budget"
POLICIES = (OURS, AT_ONCE, TOKENS, PLAIN, "gate alone", "triage alone", "random", "oracle knapsack")
# Of the share that thinks, the part that triage may send to the deep model without a fast answer.
AT_ONCE_PART = 0.25


@dataclass(frozen=True, slots=True)
class Task:
    """One pair of models, judged on one side."""

    fast: str
    deep: str
    side: int
    shuffles: int
    through_graph: int
    seed: int


def fit_triage(side: Side, pair: str) -> tuple[LinearEstimator, Floats]:
    """The estimator as `train triage` fits it, and its predictions for its own questions by folds of subjects."""
    examples = [
        TriageExample(
            one.question, one.fast["correct"], bool(one.deep and one.deep["correct"]), one.fast["subject"]
        )
        for one in side.pairs
    ]
    subjects = sorted({one.group for one in examples})
    folded = [replace(one, group=str(subjects.index(one.group) % 5)) for one in examples]
    given = {features: outcomes_of(folded, features) for features in FEATURE_SETS}
    recipe, _ = choose_recipe(given, RECIPES)
    return fit_estimator(given[recipe.features], pair, recipe), predict_left_out(
        given[recipe.features], recipe
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the other side taught.

    Attributes:
        stream, plain: the judged side with triage and without.
        estimator: for the pair of models.
        prices, bounds: for each share, the price that the stream starts with, and the predicted gain from which a
            question thinks at once.
    """

    stream: Stream
    plain: Stream
    estimator: LinearEstimator
    prices: dict[float, float]
    bounds: dict[float, float]


def fit(task: Task) -> Fitted:
    known = load_side(task.fast, task.deep, 1 - task.side)
    judged = load_side(task.fast, task.deep, task.side)
    estimator, left_out = fit_triage(known, f"{task.fast}-{task.deep}")
    foreseen: list[Triage] = [
        {"gain": float(gain), "difficulty": 0.5, "source": f"linear:{estimator.pair}", "reason": ""}
        for gain in left_out
    ]
    with_triage = [replace(one, triage=triage) for one, triage in zip(known.examples, foreseen, strict=True)]
    profile = calibrate(with_triage, max_escalation=1.0)
    expected = stream_of(known, profile, foreseen).gains
    predicted = [estimator.estimate_text(pair.question) for pair in judged.pairs]
    nothing: list[Triage | None] = [None] * len(judged.pairs)
    plain = stream_of(judged, calibrate(known.examples, max_escalation=1.0), nothing)
    ones = np.ones(len(expected))
    return Fitted(
        stream=stream_of(judged, profile, predicted),
        plain=plain,
        estimator=estimator,
        prices={share: min(solve_price(expected, ones, share * len(ones)).price, 1.0) for share in SHARES},
        bounds={share: float(np.quantile(left_out, 1 - AT_ONCE_PART * share)) for share in SHARES},
    )


def top(order: Floats, share: float) -> Flags:
    """The questions of the highest order, exactly that share of them."""
    taken = np.zeros(len(order), dtype=np.bool_)
    taken[np.argsort(-order, kind="stable")[: round(share * len(order))]] = True
    return taken


def outcome(stream: Stream, after: Flags, at_once: Flags | None = None) -> tuple[Floats, Floats]:
    """Right answers and tokens where these questions think after their fast answer, and these at once."""
    skipped = np.zeros(len(after), dtype=np.bool_) if at_once is None else at_once
    right = np.where(skipped, stream.deep_right, np.where(after, stream.after_right, stream.fast_right))
    tokens = np.where(skipped, 0.0, stream.fast_tokens) + np.where(skipped | after, stream.deep_tokens, 0.0)
    return right, tokens


def run_task(task: Task) -> dict[str, Any]:
    """Everything that is measured of one pair on one side."""
    fitted = fit(task)
    streams = orders(fitted.plain, task.seed, task.shuffles)
    foresight = fitted.stream.profile.modes["fast"].foresight
    return {
        "n": len(fitted.plain.gains),
        "start_prices": fitted.prices,
        "think_at_gain": fitted.bounds,
        "foresight": None if foresight is None else {"slope": foresight.slope, "usual": foresight.usual},
        "shares": {str(share): run_share(fitted, streams, share) for share in SHARES},
        "through_graph": through_graph(task, fitted),
    }


def run_share(fitted: Fitted, streams: dict[str, list[list[int]]], share: float) -> dict[str, Any]:
    """Right answers and tokens of every policy at one share, shape (n,) each, and what the streams realised."""
    stream, plain, start = fitted.stream, fitted.plain, fitted.prices[share]
    triage = np.array([one["gain"] if one else 0.0 for one in stream.foreseen])
    best = np.maximum(stream.after_right, stream.deep_right)
    by_oracle = top(best - stream.fast_right, share)
    right: dict[str, Floats] = {
        "gate alone": outcome(plain, top(plain.gains, share))[0],
        "triage alone": outcome(stream, ~top(triage, 1.0), top(triage, share))[0],
        "random": stream.fast_right + share * (stream.deep_right - stream.fast_right),
        "oracle knapsack": np.where(by_oracle, best, stream.fast_right),
    }
    realised: dict[str, list[float]] = {}
    for name, several in streams.items():
        for kind, least in (("exactly", share), ("at most", 0.0)):
            played = [
                play(stream, order, ThinkingShare(share, least=least, start_price=start)) for order in several
            ]
            realised[f"{name}, {kind}"] = [float((after | skipped).mean()) for after, skipped in played]
    shuffled, tokens = streams["shuffled"], {}
    held: dict[str, Any] = {
        OURS: (stream, lambda: ThinkingShare(share, least=share, start_price=start), None),
        PLAIN: (plain, lambda: ThinkingShare(share, least=share, start_price=start), None),
        AT_ONCE: (stream, lambda: ThinkingShare(share, least=share, start_price=start), fitted.bounds[share]),
    }
    for policy, (seen, make, bound) in held.items():
        right[policy], tokens[policy] = _mean(seen, shuffled, make, bound)
    asked = float(tokens[PLAIN].mean())
    right[TOKENS], tokens[TOKENS] = _mean(
        stream, shuffled, lambda: TokensPerQuery(asked, start_price=start), fitted.bounds[share]
    )
    return {"right": right, "tokens": tokens, "realised": realised}


def _mean(
    stream: Stream, shuffled: list[list[int]], make: Callable[[], Allocation], bound: float | None
) -> tuple[Floats, Floats]:
    """Right answers and tokens of each question, the mean over the shuffled streams."""
    played = [outcome(stream, *play(stream, order, make(), bound)) for order in shuffled]
    return np.mean([right for right, _ in played], axis=0), np.mean([tokens for _, tokens in played], axis=0)


def through_graph(task: Task, fitted: Fitted) -> dict[str, Any]:
    """The first questions of a stream through the real graph: the same ones must think, with the same answers."""
    pairs, stream, share = load_side(task.fast, task.deep, task.side).pairs, fitted.stream, SHARES[2]
    order = np.random.default_rng(task.seed).permutation(len(pairs))[: task.through_graph].tolist()
    make = lambda: ThinkingShare(share, least=share, start_price=fitted.prices[share])  # noqa: E731
    bound = fitted.bounds[share]
    config = ReasonerConfig(triage=fitted.estimator, think_at_gain=bound, allocation=make())
    replayed = replay([pairs[index] for index in order], stream.profile, config=config)
    after, at_once = play(stream, order, make(), bound)
    right, _ = outcome(stream, after, at_once)
    both = list(zip(replayed, order, strict=True))
    return {
        "questions": len(order),
        "same_thinking": sum(int(one.thought == (after | at_once)[index]) for one, index in both),
        "same_outcome": sum(int(one.correct == bool(right[index])) for one, index in both),
    }
