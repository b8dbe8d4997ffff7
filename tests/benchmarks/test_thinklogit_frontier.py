"""The frontier with a guided deep node: batched answers are the chat model's own, and costs add up."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("transformers", reason="training needs the extra `train`")

from langchain_core.messages import HumanMessage  # noqa: E402
from measuring.saving import Line, Resamples  # noqa: E402
from thinklogit_bed import decoding  # noqa: E402
from thinklogit_bed.answering import Trio  # noqa: E402
from thinklogit_bed.decoding import Alone, Forced, Guided  # noqa: E402
from thinklogit_bed.guided_frontier import (  # noqa: E402
    FORCED_DEEP,
    GUIDED_DEEP,
    TARGET,
    accuracy_at,
    judge,
)
from thinklogit_bed.in_graph import Seen, pair  # noqa: E402
from thinklogit_bed.spoken import speak  # noqa: E402
from thinklogit_bed.texts import LATENT, THINKING, prompt_ids  # noqa: E402
from thinklogit_bed.training import Lesson, teach  # noqa: E402

from adaptive_reasoner.config import Decision  # noqa: E402
from adaptive_reasoner.decoding import GuidedChatModel  # noqa: E402
from adaptive_reasoner.embedded.problems import generate  # noqa: E402
from adaptive_reasoner.training.embedded.calibrate_policy import Totals  # noqa: E402
from adaptive_reasoner.training.embedded.model import ModelConfig  # noqa: E402
from adaptive_reasoner.uncertainty.message import score_message  # noqa: E402

pytestmark = pytest.mark.train

TINY = ModelConfig(d_model=32, layers=2, heads=2, ff=48)
MOST = 24


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Trio:
    """Three models that learned for a few steps."""
    folder = tmp_path_factory.mktemp("bed")
    for seed, (name, mix) in enumerate({"target": LATENT, "expert": THINKING, "base": LATENT}.items()):
        teach(Lesson(folder / name, TINY, mix, steps=40, peak=1.0, seed=seed, problems=8))
    return Trio(folder / "target", folder / "expert", folder / "base")


def test_batched_answers_are_those_of_the_chat_model(
    trio: Trio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_TOKENS", MOST)
    problems = list(generate("calibration", 5, seed=8))
    rules = {"fast": Alone(), "deep": Guided(0.75)}
    spoken = {name: list(answers) for name, answers in speak(trio, rules, problems, tmp_path).items()}
    model = GuidedChatModel(
        model=str(trio.target), expert=str(trio.expert), base=str(trio.base), alpha=0.75, repeat_limit=None,
        max_tokens=MOST, logprobs=True, top_logprobs=20,
    )  # fmt: skip
    for name, thinking in (("fast", "off"), ("deep", "on")):
        for problem, ours in zip(problems, spoken[name], strict=True):
            found: Any = model.invoke([HumanMessage(problem.question)], thinking=thinking)
            assert str(ours.message.text) == str(found.text)
            for field in ("finish_reason",):
                assert ours.message.response_metadata[field] == found.response_metadata[field]
            entries, theirs = (one.response_metadata["logprobs"]["content"] for one in (ours.message, found))
            assert [one["token"] for one in entries] == [one["token"] for one in theirs]
            assert [one["logprob"] for one in entries] == pytest.approx(
                [one["logprob"] for one in theirs], abs=1e-4
            )
            assert len(entries[0]["top_logprobs"]) == 20
            usage: Any = found.usage_metadata
            assert (ours.read, ours.tokens) == (usage["input_tokens"], usage["output_tokens"])
            assert ours.read == len(prompt_ids(problem.question))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = speak(trio, rules, problems, tmp_path)
    assert [str(one.message.text) for one in again["deep"]] == [
        str(one.message.text) for one in spoken["deep"]
    ]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept


def test_a_forced_token_is_sure_and_costs_the_targets_passes_alone(
    trio: Trio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_TOKENS", 4)
    problems = list(generate("calibration", 2, seed=8))
    spoken = speak(trio, {"fast": Alone(), "forced": Forced((9,))}, problems, tmp_path)
    for problem, fast, forced in zip(problems, spoken["fast"], spoken["forced"], strict=True):
        assert forced.message.response_metadata["logprobs"]["content"][0]["logprob"] == 0
        one = pair(problem, fast, forced, 1.5)
        read = len(prompt_ids(problem.question))
        assert one.costs["tokens"] == (fast.tokens, forced.tokens)
        assert one.costs["passes"] == (read + fast.tokens, 1.5 * (read + forced.tokens))
        if fast.message.response_metadata["finish_reason"] == "length":  # nothing is known of it
            assert one.signals[0]["kind"] == "unknown"
        else:
            assert one.signals[0]["kind"] == score_message(fast.message)["kind"]


def seen(gains: list[float]) -> Seen:
    """Three problems: the gate escalates the second and the third, and keeps the third's fast answer."""
    verdicts = iter(["accept", "escalate", "escalate"] * 10)
    gate = SimpleNamespace(decide=lambda *_: Decision(next(verdicts), "", None))  # type: ignore[arg-type]
    pairs = [SimpleNamespace(texts=(f"fast {n}", f"deep {n}"), signals=(None, None)) for n in range(3)]
    fast, deep = np.array([5.0, 5.0, 5.0]), np.array([20.0, 30.0, 40.0])
    return Seen(
        pairs=cast("Any", pairs),
        policy=cast("Any", SimpleNamespace(gate=lambda *_: gate)),
        gains=np.array(gains),
        keeps_fast=np.array([False, False, True]),
        fast_right=np.array([1.0, 0.0, 1.0]),
        deep_right=np.array([0.0, 1.0, 0.0]),
        costs={"passes": (fast, deep), "tokens": (fast, deep)},
    )


def test_an_escalated_question_pays_both_calls_and_one_thought_through_at_once_only_its_own() -> None:
    found = seen([0.0, 0.0, 0.0]).at(0.01, 0.5, "passes")
    assert found.right.tolist() == [1, 1, 1]  # the third keeps its fast answer
    assert found.tokens.tolist() == [5, 35, 45]
    at_once = seen([0.0, 0.6, 0.9]).at(0.01, 0.5, "passes")
    assert at_once.right.tolist() == [1, 1, 0]  # nothing is left to keep
    assert at_once.tokens.tolist() == [5, 30, 40]
    assert seen([0.9, 0.0, 0.0]).walk(0.01, 0.5, "passes") == [
        ("deep", "deep 0"),
        ("fast deep", "deep 1"),
        ("fast deep", "fast 2"),
    ]


ONCE = Resamples(np.ones((2, 4)))


def line(name: str, *points: tuple[list[float], float]) -> Line:
    return Line(name, [Totals(np.array(right), np.full(4, cost)) for right, cost in points])


def test_accuracy_at_a_cost_is_read_between_points_even_where_it_falls() -> None:
    rising = line("one", ([1, 0, 0, 0], 10.0), ([1, 1, 1, 0], 30.0), ([1, 1, 0, 0], 50.0))
    costs = [5.0, 10.0, 20.0, 50.0, 90.0]
    found = [float(accuracy_at(rising, ONCE, np.array([cost, cost]))[0]) for cost in costs]
    assert np.isnan(found[0])
    assert found[1:] == [0.25, 0.5, 0.5, 0.5]


def test_the_graph_is_judged_at_equal_cost_and_at_nearly_always_guidings_accuracy() -> None:
    lines = [
        line(TARGET, ([1, 0, 0, 0], 10.0)),
        line(f"always {GUIDED_DEEP}", ([1, 1, 1, 0], 50.0)),
        line(f"graph, {FORCED_DEEP}", ([1, 0, 0, 0], 10.0)),
        line(f"graph, {GUIDED_DEEP}", ([1, 0, 0, 0], 10.0), ([1, 1, 1, 0], 30.0)),
    ]
    found = judge(lines, ONCE)
    assert found["target_accuracy"] == pytest.approx(0.745)
    # 99 % of the way from .25 to .75.
    assert found["cost_at_target"]["graph"]["value"] == pytest.approx(29.8)
    assert found["cost_at_target"]["by_chance"]["value"] == pytest.approx(49.6)
    half = next(one for one in found["at_equal_cost"] if one["share_of_the_way"] == 0.5)
    assert (half["cost"], half["graph_guided"]["value"]) == (30.0, 0.75)
    assert half["lead"]["target alone"]["value"] == 0.5
    assert half["lead"]["target and guided by chance"]["value"] == 0.25
    assert half["lead"]["graph, forced"]["value"] == 0.5
