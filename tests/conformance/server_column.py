"""The way in over HTTP: OpenAI's clients, and ChatOpenAI, against the server on loopback."""

import asyncio
import json
from contextlib import contextmanager
from functools import reduce
from operator import add

from conformance_scripts import (
    CUPS,
    PENS,
    PLACE_FORMAT,
    Place,
    Seen,
    drafting,
    thinking,
    undecided,
    weather_of,
    with_place,
    with_tools,
)
from in_process import gathered, without_beta
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai import ChatOpenAI
from served import async_client_of, client_of, http_of, served

# LangChain keeps its clients for good, and connections that were kept open would be reported as never closed.
CLOSING = {"Connection": "close"}


class Server:
    """`adaptive-reasoner serve`."""

    @contextmanager
    def server(self, fast=None, deep=None, **policy):
        with served(fast or drafting(), deep or thinking(), policy={"triage": "off", **policy}) as listening:
            yield listening

    def invoke(self):
        with self.server() as server, client_of(server) as client:
            return [_completed(client.chat.completions.create(**_asked()))]

    def ainvoke(self):
        async def ask(server):
            async with async_client_of(server) as client:
                return _completed(await client.chat.completions.create(**_asked()))

        with self.server() as server:
            return [asyncio.run(ask(server))]

    def stream(self):
        with self.server() as server, client_of(server) as client:
            return [_joined(list(client.chat.completions.create(**_asked(), stream=True)))]

    def astream(self):
        async def ask(server):
            async with async_client_of(server) as client:
                return _joined(await gathered(await client.chat.completions.create(**_asked(), stream=True)))

        with self.server() as server:
            return [asyncio.run(ask(server))]

    def v2_events(self):
        with self.server() as server:
            model = self._langchain(server, "a")
            events = asyncio.run(gathered(model.astream_events(PENS, version="v2")))
            chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
            return [_kept(server, "a", reduce(add, chunks).text, [chunk.text for chunk in chunks])]

    def v3_events(self):
        with self.server() as server:
            model = self._langchain(server, "a")
            stream = without_beta(lambda: model.stream_events(PENS, version="v3"))
            pieces = without_beta(lambda: list(stream.text))
            return [_kept(server, "a", stream.output.text, pieces)]

    def batch(self):
        with self.server() as server:
            both = [self._langchain(server, thread) for thread in ("a", "b")]
            texts = [
                model.batch([question])[0].text for model, question in zip(both, (PENS, CUPS), strict=True)
            ]
            return [_kept(server, thread, text) for thread, text in zip("ab", texts, strict=True)]

    def abatch(self):
        async def ask(both):
            return await asyncio.gather(
                *(model.abatch([question]) for model, question in zip(both, (PENS, CUPS), strict=True))
            )

        with self.server() as server:
            answers = asyncio.run(ask([self._langchain(server, thread) for thread in ("a", "b")]))
            return [_kept(server, thread, one.text) for thread, [one] in zip("ab", answers, strict=True)]

    def tools(self):
        tools = [convert_to_openai_tool(weather_of([]))]
        with self.server(with_tools()) as server, client_of(server) as client:
            completion = client.chat.completions.create(**_asked("Weather in Rome?"), tools=tools)
        [call] = completion.choices[0].message.tool_calls
        return [_completed(completion, json.loads(call.function.arguments)["city"])]

    def structured_output(self):
        with self.server(*with_place()) as server, client_of(server) as client:
            completion = client.chat.completions.create(**_asked(), response_format=PLACE_FORMAT)
        place = Place.model_validate_json(completion.choices[0].message.content)
        return [_completed(completion, place)]

    def multi_turn(self):
        deep = thinking()
        with self.server(None, deep) as server, client_of(server) as client:
            thread = {"metadata": {"thread_id": "a"}}
            first, second = (
                _completed(client.chat.completions.create(**_asked(each), **thread)) for each in (PENS, CUPS)
            )
        second.more = deep.calls[-1].messages
        return [first, second]

    def interrupts(self):
        with (
            self.server(*undecided(), review="low_confidence", max_refinements=0) as server,
            http_of(server) as http,
        ):
            waiting = http.post("/v1/chat/completions", json=_asked()).json()
            review = waiting["adaptive_reasoning"]["review"]
            queued = http.get(f"/v1/reviews/{review['id']}").json()
            assert queued["answer"] == "42 pens"
            http.post(f"/v1/reviews/{review['id']}/edit", json={"answer": "43 pens"}).raise_for_status()
            final = http.get(review["url"]).json()["completion"]
        return [Seen(final["choices"][0]["message"]["content"], final["adaptive_reasoning"])]

    def _langchain(self, server, thread):
        return ChatOpenAI(
            model="adaptive",
            base_url=server.base_url,
            api_key="none",
            max_retries=0,
            default_headers={**CLOSING, "x-thread-id": thread},
        )


def _asked(question=PENS):
    return {"model": "adaptive", "messages": [{"role": "user", "content": question}]}


def _completed(completion, more=None):
    return Seen(completion.choices[0].message.content or "", completion.adaptive_reasoning, more=more)


def _joined(chunks):
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    return Seen("".join(pieces), chunks[-1].adaptive_reasoning, pieces)


def _kept(server, thread, text, pieces=()):
    """The report from the thread that the server keeps: LangChain's client drops what it does not know."""
    with http_of(server) as http:
        newest = http.get(f"/v1/threads/{thread}").json()["messages"][-1]
    assert newest["content"] == text
    return Seen(text, newest["adaptive_reasoning"], list(pieces))
