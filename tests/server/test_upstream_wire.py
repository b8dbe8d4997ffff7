"""What travels between server and endpoint: over aiohttp or httpx, and past OpenAI's client, all the same."""

import asyncio
import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from measuring.failing_endpoint import failing

from adaptive_reasoner.server.settings import ModelsSection, PolicySection
from adaptive_reasoner.server.upstream import models_of
from adaptive_reasoner.server.upstream_chat import UpstreamChat
from adaptive_reasoner.server.upstream_wire import HttpxWire, open_wire

TIMEOUT = httpx.Timeout(20, read=2)
BODY = b'{"told": "' + b"x" * 70_000 + b'"}'


def aiohttp_wire(timeout):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    from adaptive_reasoner.server.upstream_aiohttp import AiohttpWire

    return AiohttpWire(10)


WIRES = [aiohttp_wire, HttpxWire]


@contextmanager
def endpoint(head, body):
    """Answers every GET with this; a body of None hangs."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            pass

        def do_GET(self):
            self.send_response(200)
            for name, value in head.items():
                self.send_header(name, value)
            self.end_headers()
            if body is None:
                stop.wait(10)
                self.close_connection = True
                return
            self.wfile.write(body)
            self.close_connection = int(head["content-length"]) > len(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


def read(make_wire, url):
    async def run():
        wire = make_wire(TIMEOUT)
        try:
            request = httpx.Request("GET", url, extensions={"timeout": TIMEOUT.as_dict()})
            response = await wire.handle_async_request(request)
            response.request = request
            try:
                return response.status_code, await response.aread()
            finally:
                await response.aclose()
        finally:
            await wire.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize("make_wire", WIRES)
def test_a_body_comes_whole_and_unpacked(make_wire):
    packed = gzip.compress(BODY)
    for head, body in (({}, BODY), ({"content-encoding": "gzip"}, packed)):
        with endpoint({**head, "content-length": str(len(body))}, body) as url:
            assert read(make_wire, url) == (200, BODY)


@pytest.mark.parametrize("make_wire", WIRES)
def test_what_goes_wrong_has_httpxs_names(make_wire):
    with endpoint({"content-length": "9"}, None) as url, pytest.raises(httpx.ReadTimeout):
        read(make_wire, url)
    with (
        endpoint({"content-length": "9"}, b"{") as url,
        pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)),
    ):
        read(make_wire, url)
    with pytest.raises(httpx.ConnectError):
        read(make_wire, url)  # nobody listens there any more


def test_where_a_proxy_is_named_httpx_finds_it(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert isinstance(open_wire(TIMEOUT), HttpxWire)


def chat(kind, upstream, **fields):
    given = {"base_url": upstream.base_url, "api_key": "key", "model": "m", "max_retries": 0, **fields}
    return kind(use_responses_api=False, **given)


def answered(model, **kwargs):
    async def ask():
        # LangChain keeps its clients for the process; the loop that their connections belong to ends here.
        async with model.root_async_client:
            return await model.ainvoke([HumanMessage("How many?", id="q")], **kwargs)

    return asyncio.run(ask()).model_copy(update={"id": None})


def without_nothing(value):
    """Plain JSON without keys that hold None."""
    if isinstance(value, list):
        return [without_nothing(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: without_nothing(one) for name, one in value.items() if one is not None}


CALLS = {
    "plain": {},
    "with log probabilities": {"logprobs": True, "top_logprobs": 2},
    "with settings": {"temperature": 0.5, "seed": 3, "stop": ["\n"], "max_tokens": 7},
    "with fields beside": {"extra_body": {"response_format": {"type": "json_object"}}, "timeout": 5},
    "with headers": {"extra_headers": {"x-told": "yes"}},
    "with tools": {"tools": [{"type": "function", "function": {"name": "pay", "parameters": {}}}]},
}


@pytest.mark.parametrize("call", CALLS)
def test_request_and_answer_are_those_of_langchains_class(call):
    seen = []
    for kind in (ChatOpenAI, UpstreamChat):
        with failing(["ok"]) as upstream:
            message = answered(chat(kind, upstream), **CALLS[call])
            head = {name: upstream.heads[0].get(name) for name in ("authorization", "content-type", "x-told")}
            # OpenAI's types add keys that the endpoint did not send, with None in them.
            told = without_nothing(message.response_metadata)
            seen.append((message.content, message.usage_metadata, told, upstream.bodies, head))
    assert seen[0] == seen[1]
    assert seen[1][4]["authorization"] == "Bearer key"


@pytest.mark.parametrize("word", ["429", "500", "truncated"])
def test_errors_are_those_of_langchains_class(word):
    raised = []
    for kind in (ChatOpenAI, UpstreamChat):
        with failing([word]) as upstream, pytest.raises((openai.APIError, ValueError)) as caught:
            answered(chat(kind, upstream))
        raised.append((type(caught.value), str(caught.value)))
    assert raised[0] == raised[1]


def test_a_call_that_may_be_repeated_is_repeated_by_openais_client():
    with failing(["429", "ok"]) as upstream:
        assert answered(chat(UpstreamChat, upstream, max_retries=1)).content == "Answer: 12"
        assert len(upstream.bodies) == 2


def test_in_traces_the_class_has_langchains_name():
    section = ModelsSection(fast="m", base_url="http://127.0.0.1:9/v1")
    model = models_of(section, PolicySection()).fast
    assert isinstance(model, UpstreamChat)
    assert (model.get_name(), model.lc_id()) == ("ChatOpenAI", ChatOpenAI.lc_id())
    assert isinstance(model.root_async_client, openai.AsyncOpenAI)
