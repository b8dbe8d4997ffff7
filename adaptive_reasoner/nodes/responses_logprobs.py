"""Log probabilities, stop reasons and refusals of OpenAI's Responses API, which LangChain drops on the way.

A call that LangChain sends to that API (see `goes_to_responses_api`) is made by a copy of the model whose OpenAI
client shows everything that passes through it. LangChain still builds the request and the message; what it leaves
out is read from the response itself and added in the places where Chat Completions has it.
"""

# What decides for the Responses API, and the client that is called, are private in langchain_openai.
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001

from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.uncertainty.shapes import as_list, as_mapping

Json = dict[str, Any]

LOGPROBS = "message.output_text.logprobs"
_FINISHED = {"response.completed", "response.incomplete"}
_STOPPED = {"max_output_tokens": "length", "content_filter": "content_filter"}


def goes_to_responses_api(model: BaseChatModel, kwargs: Mapping[str, Any]) -> bool:
    """True if a call of `model` with `kwargs` is one of the Responses API.

    LangChain chooses it by itself for some models and settings: `include`, `reasoning`, names with "codex",
    gpt-5-pro and its successors, and gpt-6 models once tools are bound.
    """
    decide = getattr(model, "_use_responses_api", None)
    return callable(decide) and bool(decide({**_settings(model), **kwargs}))


class ResponsesCall:
    """One call of the Responses API: who makes it, with which arguments, and what came by.

    Attributes:
        model: a copy of the model for this call alone, so that calls at the same time do not mix.
        kwargs: `logprobs=True`, which that API does not know, put in its own words.
    """

    def __init__(self, model: BaseChatModel, kwargs: Mapping[str, Any]) -> None:
        self._seen = Seen()
        clients = {
            name: WatchedClient(client, self._seen)
            for name in ("root_client", "root_async_client")
            if (client := getattr(model, name, None)) is not None
        }
        self.model = model.model_copy(update={**clients, "logprobs": None})
        self.kwargs = _in_its_words({**_asked(model), **kwargs}, _settings(model))

    def metadata(self) -> Json:
        """What belongs into the message's `response_metadata`: "logprobs" and "finish_reason", where known."""
        found: Json = {}
        if entries := self._seen.entries():
            found["logprobs"] = {"content": entries, "refusal": None}
        if self._seen.finish_reason is not None:
            found["finish_reason"] = self._seen.finish_reason
        return found

    def additional_kwargs(self) -> Json:
        """What belongs into the message's `additional_kwargs`: "refusal", where the model declined."""
        return {} if self._seen.refusal is None else {"refusal": self._seen.refusal}


class Seen:
    """What one call's responses and events said beside what LangChain reads.

    The finished response counts; a stream that broke off before it is read from its deltas.
    """

    def __init__(self) -> None:
        self._whole: list[Json] = []
        self._deltas: list[Json] = []
        self.finish_reason: str | None = None
        self.refusal: str | None = None

    def entries(self) -> list[Json]:
        """Log probabilities of the text, in order, as Chat Completions writes them."""
        return self._whole or self._deltas

    def watch(self, result: Any) -> Any:
        """`result` of a client's method, which shows here what will be read from it."""
        if hasattr(result, "output"):
            self.read(result)
            return result
        if hasattr(result, "parse"):
            return _WatchedRaw(result, self)
        is_stream = hasattr(result, "__iter__") or hasattr(result, "__aiter__")
        return _WatchedStream(result, self) if is_stream else result

    def read_event(self, event: Any) -> None:
        """Read one event of a stream."""
        kind = getattr(event, "type", None)
        if kind == "response.output_text.delta":
            self._deltas += _entries(getattr(event, "logprobs", None))
        elif kind in _FINISHED:
            self.read(event.response)

    def read(self, response: Any) -> None:
        """Read a whole response."""
        fields = _dumped(response)
        for item in map(as_mapping, as_list(fields.get("output")) or ()):
            for part in map(as_mapping, as_list(item.get("content")) or ()):
                self._whole += _entries(part.get("logprobs"))
                self.refusal = part.get("refusal") or self.refusal
        reason = as_mapping(fields.get("incomplete_details")).get("reason")
        self.finish_reason = _STOPPED.get(reason or "", "stop")


class WatchedClient:
    """An OpenAI client, sync or async, whose `responses` are watched; all else is the client's own."""

    def __init__(self, client: Any, seen: Seen) -> None:
        self._client = client
        self.responses = _WatchedMethods(client.responses, seen)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class _WatchedMethods:
    """`client.responses`, and its `with_raw_response`: what `create` and `parse` give is watched."""

    def __init__(self, methods: Any, seen: Seen) -> None:
        self._methods = methods
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._methods, name)

    @property
    def with_raw_response(self) -> "_WatchedMethods":
        return _WatchedMethods(self._methods.with_raw_response, self._seen)

    def create(self, **payload: Any) -> Any:
        return self._watched(self._methods.create(**payload))

    def parse(self, **payload: Any) -> Any:
        return self._watched(self._methods.parse(**payload))

    def _watched(self, result: Any) -> Any:
        return self._awaited(result) if hasattr(result, "__await__") else self._seen.watch(result)

    async def _awaited(self, result: Any) -> Any:
        return self._seen.watch(await result)


class _WatchedRaw:
    """A raw HTTP response whose parsed form is watched."""

    def __init__(self, raw: Any, seen: Seen) -> None:
        self._raw = raw
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def parse(self) -> Any:
        return self._seen.watch(self._raw.parse())


class _WatchedStream:
    """A stream of events, sync or async, each read on its way."""

    def __init__(self, stream: Any, seen: Seen) -> None:
        self._stream = stream
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> "_WatchedStream":
        self._stream.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.__exit__(kind, error, trace)

    async def __aenter__(self) -> "_WatchedStream":
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)

    def __iter__(self) -> Iterator[Any]:
        for event in self._stream:
            self._seen.read_event(event)
            yield event

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for event in self._stream:
            self._seen.read_event(event)
            yield event


def _settings(model: BaseChatModel) -> Json:
    """What the model sends with every call."""
    return dict(getattr(model, "_default_params", {}))


def _asked(model: BaseChatModel) -> Json:
    """The model's own wish for log probabilities, which its copy does not have."""
    return {"logprobs": True} if getattr(model, "logprobs", None) else {}


def _in_its_words(kwargs: Json, settings: Mapping[str, Any]) -> Json:
    """`include` instead of `logprobs`, beside whatever else is included."""
    wanted = kwargs.pop("logprobs", None)
    if not wanted:
        return kwargs
    included = as_list({**settings, **kwargs}.get("include")) or ()
    return {**kwargs, "include": list(dict.fromkeys([*included, LOGPROBS]))}


def _entries(logprobs: Any) -> list[Json]:
    return [_dumped(entry) for entry in as_list(logprobs) or ()]


def _dumped(value: Any) -> Json:
    """A response, or a part of it, as plain JSON; the SDK leaves unknown shapes as they came."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json", warnings=False) if callable(dump) else dict(as_mapping(value))
