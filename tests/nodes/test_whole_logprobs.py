"""The wrapper around every model: nothing of the inner model gets lost."""

import asyncio
import threading
import warnings

import pytest
from langchain_core._api import LangChainBetaWarning
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import Field

from adaptive_reasoner.nodes.whole_logprobs import WholeLogprobs
from adaptive_reasoner.testing import Reply, ScriptedChatModel, logprobs_of

TOKENS = [("It", 0.9), (" is", 0.8), (" 42", 0.7)]
ENTRIES = logprobs_of(TOKENS, top_logprobs=5)["content"]
ASKED = {"logprobs": True, "top_logprobs": 5}


def spreading(**fields):
    return ScriptedChatModel([Reply(tokens=TOKENS)], logprobs_in_chunks=True, **fields)


def summed(chunks):
    first, *rest = chunks
    for chunk in rest:
        first += chunk
    return first


async def collected(stream):
    return [chunk async for chunk in stream]


def by_events(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return model.stream_events("q", version="v3", **ASKED).output


WAYS = {
    "invoke": lambda model: model.invoke("q", **ASKED),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("q", **ASKED)),
    "stream": lambda model: summed(model.stream("q", **ASKED)),
    "astream": lambda model: summed(asyncio.run(collected(model.astream("q", **ASKED)))),
    "stream_events v3": by_events,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_whole_list_arrives_in_every_way(way):
    message = WAYS[way](WholeLogprobs.around(spreading()))
    assert message.text == "It is 42"
    assert message.response_metadata["logprobs"]["content"] == ENTRIES
    assert message.usage_metadata["output_tokens"] == 3


def test_a_list_that_comes_at_the_end_is_not_doubled():
    model = ScriptedChatModel([Reply(tokens=TOKENS)])
    message = summed(WholeLogprobs.around(model).stream("q", **ASKED))
    assert message.response_metadata["logprobs"]["content"] == ENTRIES


def test_without_log_probabilities_none_appear():
    message = summed(WholeLogprobs.around(spreading()).stream("q"))
    assert not message.response_metadata.get("logprobs")


def test_the_wrapped_models_own_tags_metadata_and_callbacks_take_part():
    seen = []

    class Watching(BaseCallbackHandler):
        def on_chat_model_start(self, serialized, messages, *, tags=None, metadata=None, **kwargs):
            seen.append(
                (serialized["name"], tags, metadata["team"], kwargs["invocation_params"]["model_name"])
            )

        def on_llm_end(self, response, **kwargs):
            seen.append(response.generations[0][0].message.usage_metadata["output_tokens"])

    model = spreading(tags=["mine"], metadata={"team": "a"}, callbacks=[Watching()], name="careful")
    whole = WholeLogprobs.around(model)
    whole.invoke("q", **ASKED)
    assert seen == [("careful", ["mine"], "a", "scripted"), 3]
    assert whole.name == "careful"


def test_the_cache_of_the_wrapped_model_answers():
    cache = InMemoryCache()
    first = WholeLogprobs.around(spreading(cache=cache))
    again = WholeLogprobs.around(ScriptedChatModel([], cache=cache))
    assert first.invoke("q", **ASKED).text == again.invoke("q", **ASKED).text
    other = WholeLogprobs.around(ScriptedChatModel(["43"], cache=cache, model_name="other"))
    assert other.invoke("q", **ASKED).text == "43"


def test_the_rate_limiter_of_the_wrapped_model_is_asked_once():
    class Counting(InMemoryRateLimiter):
        def acquire(self, *, blocking=True):
            self.asked = getattr(self, "asked", 0) + 1
            return True

    limiter = Counting()
    WholeLogprobs.around(spreading(rate_limiter=limiter)).invoke("q")
    assert limiter.asked == 1


class Sync(BaseChatModel):
    """Only the sync methods, and maybe a stream; remembers its thread."""

    threads: list[threading.Thread] = Field(default_factory=list)
    streaming: bool = False

    @property
    def _llm_type(self):
        return "sync"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.threads.append(threading.current_thread())
        return ChatResult(generations=[ChatGeneration(message=AIMessage("whole"))])


class Streaming(Sync):
    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        for piece in ("in ", "pieces"):
            self.threads.append(threading.current_thread())
            yield ChatGenerationChunk(message=AIMessageChunk(piece))


class AsyncOnly(Sync):
    async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
        yield ChatGenerationChunk(message=AIMessageChunk("async"))


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        (Sync(), ["whole"]),
        (Streaming(), ["in ", "pieces"]),
        (Streaming(disable_streaming=True), ["whole"]),
        (Streaming(streaming=False), ["whole"]),
        (AsyncOnly(), ["whole"]),
    ],
)
def test_streams_only_where_the_wrapped_model_does(model, texts):
    streamed = [str(chunk.text) for chunk in WholeLogprobs.around(model).stream("q")]
    assert [text for text in streamed if text] == (
        texts if model.streaming or texts != ["whole"] else ["whole"]
    )


def test_a_model_that_only_streams_streams_when_it_is_invoked():
    assert WholeLogprobs.around(Streaming(streaming=True)).invoke("q").text == "in pieces"
    assert WholeLogprobs.around(Streaming()).invoke("q").text == "whole"


def test_sync_models_run_in_daemon_threads_under_async():
    """asyncio would wait for its own threads when the program ends, however long they hang."""
    model = Streaming(threads=[])
    whole = WholeLogprobs.around(model)
    assert asyncio.run(whole.ainvoke("q")).text == "whole"
    assert summed(asyncio.run(collected(whole.astream("q")))).text == "in pieces"
    assert len(model.threads) == 3
    assert all(thread.daemon and thread is not threading.main_thread() for thread in model.threads)


def test_simple_chat_models_are_sync_models():
    whole = WholeLogprobs.around(FakeListChatModel(responses=["42"]))
    assert asyncio.run(whole.ainvoke("q")).text == "42"


def test_what_a_stream_raises_comes_through():
    class Broken(Streaming):
        def _stream(self, messages, stop=None, run_manager=None, **kwargs):
            yield ChatGenerationChunk(message=AIMessageChunk("in "))
            raise ConnectionResetError("reset")

    whole = WholeLogprobs.around(Broken())
    with pytest.raises(ConnectionResetError):
        list(whole.stream("q"))
    with pytest.raises(ConnectionResetError):
        asyncio.run(collected(whole.astream("q")))


def test_traces_name_the_wrapped_model():
    params = WholeLogprobs.around(spreading())._get_ls_params(stop=["x"])
    assert params["ls_provider"] == "scripted"
    assert params["ls_model_name"] == "scripted"
    assert params["ls_stop"] == ["x"]


def test_usage_is_asked_for_when_chat_openai_streams(chat_openai):
    model = chat_openai(spreading(), stream_usage=False)
    message = summed(WholeLogprobs.around(model).stream("q"))
    assert message.usage_metadata["output_tokens"] == 3
    assert len(message.response_metadata["logprobs"]["content"]) == 3
