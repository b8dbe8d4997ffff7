"""A target and its guiders as one chat model: what generate writes, with log probabilities that add up."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="local models need the extra `local`")
pytest.importorskip("transformers", reason="local models need the extra `local`")

from langchain_core.messages import AIMessage, HumanMessage  # noqa: E402
from tiny_folders import LETTERS, save_folder  # noqa: E402

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph, score_message  # noqa: E402
from adaptive_reasoner.decoding import (  # noqa: E402
    GuidedChatModel,
    LocalChatModel,
    LocalOptions,
    ThinkLogitsProcessor,
    ThinkOptions,
    combine_logits,
)
from adaptive_reasoner.decoding.written_text import StopText, WrittenToken  # noqa: E402
from adaptive_reasoner.errors import (  # noqa: E402
    ConfigurationError,
    ContextWindowExceededError,
    InvalidInputError,
)
from adaptive_reasoner.models import resolve_model  # noqa: E402

pytestmark = pytest.mark.train
LOGPROBS: dict[str, Any] = {"logprobs": True, "top_logprobs": 5}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    root = tmp_path_factory.mktemp("models")
    target, expert, base = (
        save_folder(root / name, seed) for name, seed in zip("teb", (1, 2, 3), strict=True)
    )
    return target, expert, base


@pytest.fixture
def guided(folders: tuple[str, str, str]) -> GuidedChatModel:
    target, expert, base = folders
    return GuidedChatModel(
        model=target, expert=expert, base=base, alpha=0.7, max_tokens=24, repeat_limit=None
    )


def _generated(guided: GuidedChatModel, prompt: str, alpha: float | None) -> str:
    """What transformers' own `generate` writes."""
    target = guided.load()
    assert guided._guiders is not None
    expert, base, _ = guided._guiders
    options = ThinkOptions(repeat_limit=None, pad_token_id=-1)
    steering = [ThinkLogitsProcessor(expert.model, base.model, alpha, options=options)] if alpha else []
    ids = target.tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
    found = target.model.generate(ids, logits_processor=steering, max_new_tokens=24, do_sample=False)
    return target.tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=False).removesuffix("<eos>")


def test_guided_answers_are_what_generate_writes_with_the_processor(guided: GuidedChatModel) -> None:
    for question in ("2+2?", "what now", "é"):
        assert guided.invoke(question).text == _generated(guided, f"u:{question};T", 0.7)


def test_with_thinking_off_the_target_writes_alone(guided: GuidedChatModel) -> None:
    answer = guided.invoke("2+2?", thinking="off")
    assert answer.text == _generated(guided, "u:2+2?;F", None)


def test_a_budget_guides_the_first_tokens_only(guided: GuidedChatModel) -> None:
    whole = guided.invoke("2+2?", thinking="on").text
    some = guided.invoke("2+2?", thinking={"budget_tokens": 3}).text
    assert some[:3] == whole[:3]
    assert some != whole


def test_log_probabilities_are_those_of_the_combined_distribution(guided: GuidedChatModel) -> None:
    answer = guided.invoke("2+2?", **LOGPROBS)
    entries = answer.response_metadata["logprobs"]["content"]
    target = guided.load()
    assert guided._guiders is not None
    ids = target.tokenizer("u:2+2?;T", add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        logits = [
            model(ids).logits[0, -1] for model in (target.model, *(g.model for g in guided._guiders[:2]))
        ]
    combined = combine_logits(*logits, 0.7).log_softmax(-1)
    best = combined.topk(5)
    assert entries[0]["logprob"] == pytest.approx(float(best.values[0]), abs=1e-5)
    assert [top["logprob"] for top in entries[0]["top_logprobs"]] == pytest.approx(
        best.values.tolist(), abs=1e-5
    )
    assert [top["token"] for top in entries[0]["top_logprobs"]] == [
        target.tokenizer.decode([index]) for index in best.indices.tolist()
    ]
    assert "".join(entry["token"] for entry in entries) == answer.text


def test_a_signal_is_read_off_the_answer(guided: GuidedChatModel) -> None:
    signal = score_message(guided.invoke("2+2?", **LOGPROBS))
    assert signal["kind"] == "logprobs"
    assert signal["token_count"] > 0


def test_a_stream_says_what_invoke_says(guided: GuidedChatModel) -> None:
    whole = guided.invoke("hi", **LOGPROBS)
    chunks = list(guided.stream("hi", **LOGPROBS))
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert sum(1 for chunk in chunks if chunk.text) > 5
    summed = chunks[0]
    for chunk in chunks[1:]:
        summed += chunk
    assert summed.usage_metadata == whole.usage_metadata
    assert summed.response_metadata["logprobs"] == whole.response_metadata["logprobs"]


def test_async_calls_side_by_side_do_not_disturb_each_other(guided: GuidedChatModel) -> None:
    questions = ["a", "bb", "ccc", "dddd"]
    alone = [guided.invoke(question).text for question in questions]

    async def together() -> list[str]:
        answers = await asyncio.gather(*(guided.ainvoke(question) for question in questions))
        return [answer.text for answer in answers]

    assert asyncio.run(together()) == alone


async def test_an_async_stream_says_the_same(guided: GuidedChatModel) -> None:
    pieces = [chunk.text async for chunk in guided.astream("hi")]
    assert "".join(pieces) == guided.invoke("hi").text


def test_usage_counts_prompt_and_generated_tokens(guided: GuidedChatModel) -> None:
    answer = guided.invoke("abc", max_tokens=7)
    assert answer.usage_metadata == {"input_tokens": len("u:abc;T"), "output_tokens": 7, "total_tokens": 14}
    assert answer.response_metadata["finish_reason"] == "length"


def test_the_text_ends_before_a_stop_string(guided: GuidedChatModel) -> None:
    whole = guided.invoke("abc").text
    stop = whole[3:5]
    answer = guided.invoke("abc", stop=[stop], **LOGPROBS)
    assert answer.text == whole[: whole.index(stop)]
    assert answer.response_metadata["finish_reason"] == "stop"
    assert "".join(e["token"] for e in answer.response_metadata["logprobs"]["content"]) == answer.text
    assert "".join(chunk.text for chunk in guided.stream("abc", stop=[stop])) == answer.text


def test_a_token_that_a_stop_string_cuts_is_counted_once() -> None:
    stop = StopText(["nk>"])
    token = WrittenToken("</think>", -0.1, (("</think>", -0.1), ("a", -3.0)))
    assert list(stop.add(token)) == [WrittenToken("</thi", -0.1, (("</thi", -0.1), ("a", -3.0)))]
    assert stop.stopped


def test_a_seed_repeats_a_draw(guided: GuidedChatModel) -> None:
    draws = [guided.invoke("abc", temperature=1.5, seed=seed).text for seed in (7, 7, 8)]
    assert draws[0] == draws[1] != draws[2]


def test_top_k_of_one_is_greedy(guided: GuidedChatModel) -> None:
    assert guided.invoke("abc", temperature=2.0, top_k=1).text == guided.invoke("abc").text


def test_a_thought_is_closed_when_its_budget_is_used_up(
    folders: tuple[str, str, str], tmp_path: Path
) -> None:
    opened = save_folder(tmp_path / "opened", 5, template="{{ messages[0]['content'] }}<think>")
    model = LocalChatModel(model=opened, max_tokens=12)
    text = model.invoke("abc", thinking={"budget_tokens": 4}).text
    assert text.index("</think>") == len(model.invoke("abc", thinking="on").text[:4])


def test_one_model_is_both_nodes_of_a_graph(guided: GuidedChatModel) -> None:
    texts = {thinking: guided.invoke("2+2?", thinking=thinking).text for thinking in ("off", "on")}
    ending = guided.model_copy(update={"stop": [texts["off"][6:], texts["on"][6:]]})
    graph = build_reasoning_graph(ending, config=ReasonerConfig(max_refinements=0))
    for thinking, node in (("off", "fast_answer"), ("on", "deep_think")):
        found = graph.invoke({"messages": [HumanMessage("2+2?")]}, context={"thinking": thinking})
        assert [round_["node"] for round_ in found["reasoning"]["rounds"]] == [node]
        assert found["messages"][-1].text == texts[thinking][:6]
        assert found["reasoning"]["signal"]["kind"] == "logprobs"


def test_the_command_lines_word_for_it_names_three_folders(folders: tuple[str, str, str]) -> None:
    model = resolve_model(f"guided:{','.join(folders)},alpha=0.5")
    assert isinstance(model, GuidedChatModel)
    assert (model.model, model.expert, model.base, model.alpha) == (*folders, 0.5)
    assert isinstance(resolve_model(f"local:{folders[0]}"), LocalChatModel)
    for wrong in ("guided:a,b", "guided:a,b,c,strength=2", "guided:a,b,c,alpha=much"):
        with pytest.raises(ConfigurationError, match=r"guided:|is no option"):
            resolve_model(wrong)


def test_without_a_chat_template_texts_are_joined(tmp_path: Path) -> None:
    plain = LocalChatModel(model=save_folder(tmp_path / "plain", 4, template=None), max_tokens=3)
    answer = plain.invoke([HumanMessage("ab"), AIMessage("c")])
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == len("ab\n\nc")


def test_earlier_turns_reach_the_template(guided: GuidedChatModel) -> None:
    answer = guided.invoke([("system", "s"), ("user", "ab"), ("assistant", "c"), ("user", "d")])
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == len("s:s;u:ab;a:c;u:d;T")


def test_images_are_refused(guided: GuidedChatModel) -> None:
    image = {"type": "image", "url": "https://example.org/x.png"}
    with pytest.raises(InvalidInputError, match="text only"):
        guided.invoke([HumanMessage([image])])


def test_a_prompt_beyond_the_context_is_refused(guided: GuidedChatModel) -> None:
    with pytest.raises(ContextWindowExceededError, match="128"):
        guided.invoke("x" * 200)


def test_an_empty_prompt_is_refused(tmp_path: Path) -> None:
    plain = LocalChatModel(model=save_folder(tmp_path / "plain", 4, template=None))
    with pytest.raises(InvalidInputError, match="empty"):
        plain.invoke("")


@pytest.mark.parametrize("alpha", [math.nan, math.inf])
def test_alpha_must_be_finite(folders: tuple[str, str, str], alpha: float) -> None:
    with pytest.raises(ConfigurationError, match="finite"):
        GuidedChatModel(model=folders[0], expert=folders[1], base=folders[2], alpha=alpha)


def test_guiders_with_other_tokens_of_equal_number_are_refused(
    folders: tuple[str, str, str], tmp_path: Path
) -> None:
    other = save_folder(tmp_path / "other", 6, letters=LETTERS[::-1])
    model = GuidedChatModel(model=folders[0], expert=other, base=other)
    with pytest.raises(ConfigurationError, match="expert's tokenizer is not the target's"):
        model.invoke("a")


def test_a_map_lets_guiders_with_other_tokens_steer(folders: tuple[str, str, str], tmp_path: Path) -> None:
    import json

    other = [save_folder(tmp_path / name, seed, letters=LETTERS[::-1]) for name, seed in (("e", 6), ("b", 7))]
    pairs = tmp_path / "map.json"
    pairs.write_text(json.dumps({letter: letter for letter in [*LETTERS, "<eos>"]}), encoding="utf-8")
    model = GuidedChatModel(
        model=folders[0], expert=other[0], base=other[1], vocabulary_map=str(pairs), max_tokens=8
    )
    assert model.invoke("abc").text != model.invoke("abc", thinking="off").text


class TestFolders:
    """Each wrong folder gets one clear error, before anything is loaded."""

    def test_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="There is no model folder"):
            LocalChatModel(model=str(tmp_path / "nothing"))

    def test_that_are_no_models(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"no config\.json"):
            LocalChatModel(model=str(tmp_path))

    def test_without_weights(self, folders: tuple[str, str, str], tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text((Path(folders[0]) / "config.json").read_text())
        with pytest.raises(ConfigurationError, match="holds no weights"):
            LocalChatModel(model=str(tmp_path))

    def test_with_broken_settings(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text("{")
        (tmp_path / "model.safetensors").write_bytes(b"")
        with pytest.raises(ConfigurationError, match="is no JSON"):
            LocalChatModel(model=str(tmp_path))

    def test_with_broken_weights(self, folders: tuple[str, str, str], tmp_path: Path) -> None:
        broken = save_folder(tmp_path / "broken", 1)
        (Path(broken) / "model.safetensors").write_bytes(b"no tensors")
        with pytest.raises(ConfigurationError, match="cannot be loaded"):
            LocalChatModel(model=broken).invoke("a")

    def test_that_memory_cannot_hold(self, folders: tuple[str, str, str], tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text((Path(folders[0]) / "config.json").read_text())
        with (tmp_path / "model.safetensors").open("wb") as file:
            file.truncate(2**42)  # a hole: it takes no room on the disk
        with pytest.raises(ConfigurationError, match=r"take 4096\.0 GiB"):
            GuidedChatModel(model=str(tmp_path), expert=folders[1], base=folders[2])
        LocalChatModel(model=str(tmp_path), options=LocalOptions(check_memory=False))

    def test_on_a_device_that_is_not_there(self, folders: tuple[str, str, str]) -> None:
        if torch.cuda.is_available():
            pytest.skip("there is a CUDA device here")
        with pytest.raises(ConfigurationError, match="no CUDA here"):
            LocalChatModel(model=folders[0], options=LocalOptions(device="cuda"))
        with pytest.raises(ConfigurationError, match='use "cpu"'):
            LocalChatModel(model=folders[0], options=LocalOptions(device="abacus"))

    def test_on_the_hub_without_a_network(self) -> None:
        with pytest.raises(ConfigurationError, match="cannot be loaded"):
            LocalChatModel(model="nobody/nothing-at-all").invoke("a")
