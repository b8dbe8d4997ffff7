"""Log probabilities, stop reasons and refusals of OpenAI's Responses API, which LangChain drops on the way.

A call that LangChain sends to that API (see `goes_to_responses_api`) is made by a copy of the model whose OpenAI
client shows everything that passes through it. LangChain still builds the request and the message; what it leaves
out is read from the response itself and added in the places where Chat Completions has it.
"""

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from adaptive_reasoner.nodes.watched_client import WatchedClient
from adaptive_reasoner.thinking import settle_call
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


class PlainCall:
    """One call of a model.

    Attributes:
        model: who makes the call.
        kwargs: its arguments.
    """

    def __init__(self, model: BaseChatModel, kwargs: Json) -> None:
        self.model = model
        self.kwargs = kwargs

    def complete(self, message: BaseMessage) -> None:
        """Add to the finished message, or to its last chunk, what LangChain left out: here nothing."""


class ResponsesCall(PlainCall):
    """One call of the Responses API, made by a copy of the model for this call alone.

    So calls at the same time do not mix. `logprobs=True`, which that API does not know, is put in its own words.
    """

    def __init__(self, model: BaseChatModel, kwargs: Json) -> None:
        self._seen = Seen()
        clients = {
            name: WatchedClient(client, self._seen)
            for name in ("root_client", "root_async_client")
            if (client := getattr(model, name, None)) is not None
        }
        super().__init__(
            model.model_copy(update={**clients, "logprobs": None}),
            _in_its_words({**_asked(model), **kwargs}, _settings(model)),
        )

    def complete(self, message: BaseMessage) -> None:
        """Add log probabilities, the finish reason and a refusal, in Chat Completions' places."""
        if entries := self._seen.entries():
            message.response_metadata["logprobs"] = {"content": entries, "refusal": None}
        if self._seen.finish_reason is not None:
            message.response_metadata["finish_reason"] = self._seen.finish_reason
        if self._seen.refusal is not None:
            message.additional_kwargs["refusal"] = self._seen.refusal


def prepare_call(model: BaseChatModel, kwargs: Json) -> PlainCall:
    """A call of `model` with `kwargs`, watched where LangChain would lose what it brings."""
    model, kwargs = settle_call(model, kwargs)
    is_lossy = goes_to_responses_api(model, kwargs)
    return ResponsesCall(model, kwargs) if is_lossy else PlainCall(model, kwargs)


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

    def read_event(self, event: Any) -> None:
        """Read one event of a stream."""
        kind = getattr(event, "type", None)
        if kind == "response.output_text.delta":
            self._deltas += _entries(getattr(event, "logprobs", None))
        elif kind in _FINISHED:
            self.read_response(event.response)

    def read_response(self, response: Any) -> None:
        """Read a whole response."""
        fields = _dumped(response)
        for item in map(as_mapping, as_list(fields.get("output")) or ()):
            for part in map(as_mapping, as_list(item.get("content")) or ()):
                self._whole += _entries(part.get("logprobs"))
                self.refusal = part.get("refusal") or self.refusal
        reason = as_mapping(fields.get("incomplete_details")).get("reason")
        self.finish_reason = _STOPPED.get(reason or "", "stop")


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
    return cast("Json", dump(mode="json", warnings=False)) if callable(dump) else dict(as_mapping(value))
