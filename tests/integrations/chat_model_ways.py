"""Every way to call a chat model, each as a function from a model and an input to the whole message."""

import asyncio
import warnings
from functools import reduce
from operator import add

from langchain_core._api import LangChainBetaWarning

from adaptive_reasoner import AdaptiveChatModel
from adaptive_reasoner.testing import Reply, ScriptedChatModel


def sure(text, **fields):
    return Reply(text=text, probability=0.99, **fields)


def disbelieved(text, **fields):
    """An answer that the uncalibrated gate escalates at once."""
    return Reply(text=text, probability=0.3, **fields)


def call(city, probability=0.99, name="weather"):
    return Reply(tool_calls=[{"name": name, "args": {"city": city}}], probability=probability)


def scripted(*steps, **fields):
    return ScriptedChatModel(steps, logprobs_in_chunks=True, **fields)


def adaptive(*steps, **fields):
    """An adaptive model around one scripted model."""
    return AdaptiveChatModel(fast=scripted(*steps), **fields)


def report_of(message):
    return message.response_metadata["adaptive_reasoning"]


def steps_of(message):
    return [(one["node"], one["verdict"]) for one in report_of(message)["rounds"]]


def _ainvoke(model, given, *args, **kwargs):
    return asyncio.run(model.ainvoke(given, *args, **kwargs))


def _stream(model, given, *args, **kwargs):
    return reduce(add, model.stream(given, *args, **kwargs))


def _astream(model, given, *args, **kwargs):
    async def collect():
        return [chunk async for chunk in model.astream(given, *args, **kwargs)]

    return reduce(add, asyncio.run(collect()))


def _v3(model, given, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return model.stream_events(given, *args, version="v3", **kwargs).output


def _av3(model, given, *args, **kwargs):
    async def collect():
        stream = await model.astream_events(given, *args, version="v3", **kwargs)
        return await stream

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangChainBetaWarning)
        return asyncio.run(collect())


def _batch(model, given, *args, **kwargs):
    return model.batch([given], *args, **kwargs)[0]


def _abatch(model, given, *args, **kwargs):
    return asyncio.run(model.abatch([given], *args, **kwargs))[0]


def _invoke(model, given, *args, **kwargs):
    return model.invoke(given, *args, **kwargs)


WAYS = {
    "invoke": _invoke,
    "ainvoke": _ainvoke,
    "stream": _stream,
    "astream": _astream,
    "stream_events v3": _v3,
    "astream_events v3": _av3,
    "batch": _batch,
    "abatch": _abatch,
}
