from itertools import pairwise

import numpy as np
import pytest
from embedded_weights import random_weights, tiny_shape
from threadpoolctl import threadpool_info

from adaptive_reasoner.embedded.answer_text import PieceBuilder, VisibleToken
from adaptive_reasoner.embedded.batch import generate_batch
from adaptive_reasoner.embedded.dialogue import Mode, render_prompt
from adaptive_reasoner.embedded.generation import GeneratedToken, GenerationConfig, generate
from adaptive_reasoner.embedded.phases import ThoughtLimits
from adaptive_reasoner.embedded.runtime import Runtime
from adaptive_reasoner.embedded.sampling import Sampler, score_tokens
from adaptive_reasoner.embedded.tokenizer import encoding, special
from adaptive_reasoner.errors import ConfigurationError, ContextWindowExceededError

QUESTIONS = [
    "What is 3 + 4?",
    "Ann has 5 pens. Tom has 7 more than Ann. How many pens does Tom have?",
    "2 * 9 =",
]
PROMPTS = [render_prompt([("user", question)]) for question in QUESTIONS]
MODES: tuple[Mode, ...] = ("fast", "deep", "answer_first", "refine")


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(random_weights(tiny_shape(encoding().n_vocab), seed=3))


def token_ids(tokens: tuple[GeneratedToken, ...] | list[GeneratedToken]) -> list[int]:
    return [token.id for token in tokens]


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_gives_the_tokens_and_scores_of_single_streams(runtime: Runtime, mode: Mode) -> None:
    config = GenerationConfig(max_tokens=25, top_logprobs=5)
    together = generate_batch(runtime, PROMPTS, mode, config, batch_size=2)
    for prompt, generation in zip(PROMPTS, together, strict=True):
        alone = list(generate(runtime, prompt, mode, config))
        assert token_ids(generation.tokens) == token_ids(alone)
        for ours, theirs in zip(generation.tokens, alone, strict=True):
            assert ours.scores is not None
            assert theirs.scores is not None
            assert ours.scores.logprob == pytest.approx(theirs.scores.logprob, abs=1e-4)
            assert ours.scores.top_ids.tolist() == theirs.scores.top_ids.tolist()


def test_sampling_repeats_with_its_seed_and_differs_without(runtime: Runtime) -> None:
    def sample(seed: int) -> list[int]:
        config = GenerationConfig(max_tokens=20, temperature=1.0, seed=seed)
        return token_ids(list(generate(runtime, PROMPTS[0], "fast", config)))

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


def test_row_zero_of_a_sampled_batch_equals_the_single_stream(runtime: Runtime) -> None:
    config = GenerationConfig(max_tokens=20, temperature=1.0, seed=7)
    batch = generate_batch(runtime, PROMPTS[:1] * 2, "deep", config)
    assert token_ids(batch[0].tokens) == token_ids(list(generate(runtime, PROMPTS[0], "deep", config)))
    assert token_ids(batch[0].tokens) != token_ids(batch[1].tokens)


@pytest.mark.parametrize("budget", [0, 1, 7])
def test_a_spent_budget_closes_the_thought(runtime: Runtime, budget: int) -> None:
    config = GenerationConfig(max_tokens=20, thought=ThoughtLimits(budget_tokens=budget))
    tokens = list(generate(runtime, PROMPTS[0], "deep", config))
    thought = [token for token in tokens if token.in_thought]
    assert len(thought) <= budget + 1
    assert thought[-1].id == special("</think>")
    assert special("</think>") not in token_ids(tokens[len(thought) :])


def test_a_thought_begins_with_its_forced_prefix(runtime: Runtime) -> None:
    prefix = tuple(encoding().encode_ordinary(" work:"))
    config = GenerationConfig(max_tokens=6, thought=ThoughtLimits(forced_prefix=prefix))
    assert tuple(token_ids(list(generate(runtime, PROMPTS[0], "deep", config)))[: len(prefix)]) == prefix


def test_a_thought_is_closed_where_the_given_token_would_come(runtime: Runtime) -> None:
    free = token_ids(list(generate(runtime, PROMPTS[0], "deep", GenerationConfig(max_tokens=12))))
    where = next(index for index in range(3, 12) if free[index] not in free[:index])
    limits = ThoughtLimits(close_before=free[where])
    closed = list(generate(runtime, PROMPTS[0], "deep", GenerationConfig(max_tokens=12, thought=limits)))
    assert token_ids(closed)[: where + 1] == [*free[:where], special("</think>")]


@pytest.mark.parametrize("mode", MODES)
def test_no_control_token_gets_into_an_answer(runtime: Runtime, mode: Mode) -> None:
    config = GenerationConfig(max_tokens=60, temperature=3.0, seed=1, thought=ThoughtLimits(budget_tokens=5))
    allowed = {special("</think>"), special("<because>"), special("<eos>")}
    for generation in generate_batch(runtime, PROMPTS * 5, mode, config):
        seen = token_ids(generation.tokens)
        specials = [token for token in seen if token >= special("<bos>")]
        assert set(specials) <= allowed
        assert all(seen.count(token) <= 1 for token in allowed)


def test_scores_are_log_probabilities_at_temperature_one() -> None:
    logits = np.log(np.array([[0.5, 0.3, 0.15, 0.05]], dtype=np.float32)) + 7
    scores = score_tokens(logits, np.array([2]), top=3)[0]
    assert scores.logprob == pytest.approx(np.log(0.15), abs=1e-6)
    assert scores.top_ids.tolist() == [0, 1, 2]
    assert np.exp(scores.top_logprobs) == pytest.approx([0.5, 0.3, 0.15], abs=1e-6)


def test_sampling_follows_the_probabilities() -> None:
    logits = np.log(np.array([0.6, 0.4], dtype=np.float32))
    sampler = Sampler(temperature=1.0, seed=5)
    drawn = np.mean([sampler.choose(logits) for _ in range(4000)])
    assert drawn == pytest.approx(0.4, abs=0.03)  # 3.9 standard errors


def test_forbidden_tokens_are_never_drawn() -> None:
    logits = np.array([-np.inf, 0.0, -np.inf], dtype=np.float32)
    sampler = Sampler(temperature=5.0, seed=5)
    assert {sampler.choose(logits) for _ in range(200)} == {1}


def test_max_tokens_ends_the_stream(runtime: Runtime) -> None:
    assert len(list(generate(runtime, PROMPTS[0], "deep", GenerationConfig(max_tokens=3)))) == 3


def test_generation_ends_with_the_context(runtime: Runtime) -> None:
    prompt = PROMPTS[0] + [special("<fast>")] * (runtime.shape.context - 17 - len(PROMPTS[0]))
    config = GenerationConfig(thought=ThoughtLimits(budget_tokens=100))
    generated = list(generate(runtime, prompt, "deep", config))
    assert generated[-1].id == special("<eos>") or len(generated) == 16


def test_a_prompt_without_room_for_an_answer_is_refused(runtime: Runtime) -> None:
    with pytest.raises(ContextWindowExceededError, match="at most 112"):
        next(generate(runtime, [1] * 112, "fast"))


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": -1.0},
        {"max_tokens": 0},
        {"top_logprobs": 21},
        {"thought": ThoughtLimits(budget_tokens=-1)},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigurationError):
        GenerationConfig(**settings)


def pieces(texts: list[bytes], stop: tuple[str, ...] = ()) -> list[str]:
    builder = PieceBuilder(stop)
    found: list[str] = []
    for raw in texts:
        found += [piece.text for piece in builder.add(VisibleToken(0, raw, None))]
        if builder.stopped:
            break
    return found + [piece.text for piece in builder.finish()]


def test_a_character_is_shown_once_all_its_bytes_are_there() -> None:
    assert pieces([b" a", b"\xe6", b"\x97", b"\xa5", b"b"]) == [" a", "日", "b"]


def test_an_unfinished_character_is_marked_at_the_end() -> None:
    assert pieces([b"a", b"\xe6", b"\x97"]) == ["a", "�"]


def test_text_ends_before_a_stop_string_that_spans_tokens() -> None:
    assert pieces([b"one", b" tw", b"o", b" three"], stop=(" two",)) == ["one"]


def test_a_beginning_of_a_stop_string_is_shown_when_it_leads_nowhere() -> None:
    assert pieces([b"one", b" tw", b"ice"], stop=(" two",)) == ["one", " tw", "ice"]


def test_a_token_that_reaches_into_a_stop_string_is_cut_there() -> None:
    builder = PieceBuilder((".",))
    shown = list(builder.add(VisibleToken(9, b" 42. So", None)))
    assert [(piece.text, [token.raw for token in piece.tokens]) for piece in shown] == [(" 42", [b" 42"])]
    assert builder.stopped


def test_progress_counts_up_to_all_prompts(runtime: Runtime) -> None:
    seen: list[int] = []
    config = GenerationConfig(max_tokens=2)
    generate_batch(runtime, PROMPTS, "fast", config, batch_size=2, on_progress=seen.append)
    assert seen == [2, 3]
    assert all(later > earlier for earlier, later in pairwise(seen))


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_one_thread_while_any_stream_is_open_and_its_own_number_afterwards(runtime: Runtime) -> None:
    before = blas_threads()
    first, second = (generate(runtime, PROMPTS[0], "fast") for _ in range(2))
    next(first)
    next(second)
    assert blas_threads() <= {1}
    first.close()
    assert blas_threads() <= {1}
    second.close()
    assert blas_threads() == before
