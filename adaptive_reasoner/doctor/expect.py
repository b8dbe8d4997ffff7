"""What to expect without asking: from LangChain's model profile and from what is known of its routes.

The profile says nothing of log probabilities. What is written here is known of OpenAI's own API, and nothing is
claimed of other endpoints.
"""

from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.doctor.advice import with_advice
from adaptive_reasoner.doctor.diagnosis import Api, Arrival, Diagnosis, Finding, Way
from adaptive_reasoner.doctor.levels import Level, api_of, has_logprob_fields, levels_of
from adaptive_reasoner.doctor.ways import routes
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.nodes.responses_logprobs import goes_to_responses_api
from adaptive_reasoner.thinking import is_embedded, model_name_of

_NO_FIELDS = Arrival("missing", reason="its LangChain class has no setting for log probabilities")
_NOT_ASKED = Arrival("missing", reason="OpenAI gives none while a model thinks, so the graph asks for none")
_THINKS = Arrival("failed", reason="OpenAI refuses log probabilities while a model thinks")
_LAST_ALONE = Arrival("unusable", 1, reason="LangChain's v3 event streaming keeps the last token's alone")
_DROPPED = Arrival("failed", reason="LangChain passes `logprobs` on, which the Responses API does not know")
_NO_CALLS = Arrival("missing", reason="the Responses API gives none for tool calls")
_NOT_KNOWN = Arrival("not_known", reason="LangChain has no profile of this model at this endpoint")
_WHOLE = Arrival("whole")


def expect(model: BaseChatModel, *, efforts: Sequence[str] = ()) -> Diagnosis:
    """What an examination of `model` can be expected to find, without any call.

    Args:
        model: a chat model.
        efforts: see `levels_of`.
    """
    name = model_name_of(model)
    levels = levels_of(model, efforts)
    return with_advice(
        Diagnosis(
            model=name,
            api=api_of(model),
            probed=False,
            profile=profile_for(name).kind,
            top_logprobs=None,
            findings=tuple(_finding(model, level, way) for level in levels for way in _ways(model, level)),
        )
    )


def _ways(model: BaseChatModel, level: Level) -> list[Way]:
    ways: list[Way] = [route.name for route in routes(model)]
    return [way for way in ways if level.is_fast or way in {"plain", "streamed"}]


def _finding(model: BaseChatModel, level: Level, way: Way) -> Finding:
    alone, gate = _arrivals(model, level, way)
    return Finding(way=way, thinking=level.name, is_fast=level.is_fast, langchain=alone, gate=gate)


def _arrivals(model: BaseChatModel, level: Level, way: Way) -> tuple[Arrival, Arrival]:
    """In LangChain alone, and in the graph."""
    if is_embedded(model):
        return _WHOLE, _WHOLE
    if not has_logprob_fields(model):
        return _NO_FIELDS, _NO_FIELDS
    api = _api(model, way)
    by_server = _from_openai(model, level, way, api)
    asks = bool(level.graph_kwargs(model, 2).keys() & {"logprobs"})
    gate = by_server if asks else _NOT_ASKED
    if api == "responses":
        return _DROPPED, gate
    return (_LAST_ALONE if way == "events v3" and by_server is _WHOLE else by_server), gate


def _api(model: BaseChatModel, way: Way) -> Api:
    """Tools alone send some models to the Responses API."""
    extra = next(route.extra for route in routes(model) if route.name == way)
    return "responses" if goes_to_responses_api(model, dict(extra)) else api_of(model)


def _from_openai(model: BaseChatModel, level: Level, way: Way, api: Api) -> Arrival:
    """What OpenAI's own API sends."""
    if model.profile is None or getattr(model, "openai_api_base", None):
        return _NOT_KNOWN
    if model.profile.get("reasoning_output") and level.name != "none":
        return _THINKS
    return _NO_CALLS if api == "responses" and "tools" in way else _WHOLE
