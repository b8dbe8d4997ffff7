"""The probes: every way at the fast level, and the plain and the streamed one at each further level."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from adaptive_reasoner.doctor.advice import with_advice
from adaptive_reasoner.doctor.diagnosis import Arrival, Diagnosis, Finding
from adaptive_reasoner.doctor.levels import Level, api_of, has_logprob_fields, levels_of
from adaptive_reasoner.doctor.ways import QUESTION, Route, invoke, routes
from adaptive_reasoner.gate.shipped import profile_for
from adaptive_reasoner.nodes.isolated import run_isolated
from adaptive_reasoner.nodes.problems import as_our_error
from adaptive_reasoner.nodes.whole_logprobs import WholeLogprobs
from adaptive_reasoner.thinking import model_name_of
from adaptive_reasoner.uncertainty.logprobs import NO_LOGPROBS, parse_response

# What engines and providers allow: OpenAI and vLLM 20, xAI 8, Together 5, Groq and others fewer.
ALTERNATIVES = (20, 8, 5, 2)
_LONGEST_REASON = 200

Probed = AIMessage | Exception


@dataclass(frozen=True, slots=True)
class Patient:
    """The model as LangChain gives it, and as the graph calls it.

    Attributes:
        model: as it was given.
        whole: around it, what the graph calls.
        timeout_seconds: that one call may take.
    """

    model: BaseChatModel
    timeout_seconds: float
    whole: WholeLogprobs = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "whole", WholeLogprobs.around(self.model))

    def ask(self, model: BaseChatModel, route: Route, kwargs: Mapping[str, Any]) -> Probed:
        """One call; whatever it raises is a finding."""
        every = {**kwargs, **route.extra}
        return run_isolated(lambda: route.call(model, route.question, every), self.timeout_seconds)


def examine(model: BaseChatModel, *, efforts: Sequence[str] = (), timeout_seconds: float = 60.0) -> Diagnosis:
    """Call `model` in every way and say what arrives: about 13 short calls, and 4 for each further level.

    Args:
        model: a chat model.
        efforts: see `levels_of`.
        timeout_seconds: that one call may take.

    Raises:
        ModelError: the model does not even answer a plain question; the message says why.
    """
    patient = Patient(model, timeout_seconds)
    levels = levels_of(model, efforts)
    _greet(patient, levels[0])
    top_logprobs = _most_alternatives(patient, levels[0])
    findings = tuple(_findings(patient, levels, top_logprobs or ALTERNATIVES[0]))
    name = model_name_of(model)
    return with_advice(
        Diagnosis(
            model=name,
            api=api_of(model),
            probed=True,
            profile=profile_for(name).kind,
            top_logprobs=top_logprobs,
            findings=findings,
        )
    )


def _greet(patient: Patient, level: Level) -> None:
    answer = patient.ask(patient.whole, Route("plain", invoke, QUESTION, {}), level.kwargs)
    if isinstance(answer, Exception):
        raise as_our_error(answer) from answer


def _most_alternatives(patient: Patient, level: Level) -> int | None:
    """The most alternatives a token that the endpoint accepts; None where it refuses the question itself."""
    if not has_logprob_fields(patient.model):
        return None
    for count in ALTERNATIVES:
        kwargs = level.graph_kwargs(patient.model, count)
        answer = patient.ask(patient.whole, Route("plain", invoke, QUESTION, {}), kwargs)
        if isinstance(answer, AIMessage):
            return count
        if not _is_refusal(answer):
            return ALTERNATIVES[0]  # its failure is not about the number: the findings will tell
    return None


def _is_refusal(error: Exception) -> bool:
    """True for an answer that finds fault with the request; not for a server that is slow, full or broken."""
    return not isinstance(error, TimeoutError) and getattr(error, "status_code", 400) in {400, 422}


def _findings(patient: Patient, levels: Sequence[Level], top_logprobs: int) -> Iterator[Finding]:
    for level in levels:
        for route in routes(patient.model):
            if level.is_fast or route.name in {"plain", "streamed"}:
                yield _finding(patient, level, route, top_logprobs)


def _finding(patient: Patient, level: Level, route: Route, top_logprobs: int) -> Finding:
    model = patient.model
    alone = patient.ask(model, route, level.asking_kwargs(model, top_logprobs))
    by_graph = patient.ask(patient.whole, route, level.graph_kwargs(model, top_logprobs))
    answered = isinstance(by_graph, AIMessage)
    return Finding(
        way=route.name,
        thinking=level.name,
        is_fast=level.is_fast,
        langchain=arrival(alone),
        gate=arrival(by_graph),
        reports_usage=bool(by_graph.usage_metadata) if answered else None,
        note="it answered in words"
        if answered and "tools" in route.extra and not by_graph.tool_calls
        else None,
    )


def arrival(probed: Probed) -> Arrival:
    """What arrived with one answer."""
    if isinstance(probed, Exception):
        return Arrival("failed", reason=_shortened(f"{type(probed).__name__}: {probed}"))
    parsed = parse_response(probed)
    most = max((len(token.top) for token in parsed.tokens), default=0)
    if parsed.trusted:
        return Arrival("whole", len(parsed.tokens), most)
    state = "missing" if parsed.reason == NO_LOGPROBS else "unusable"
    return Arrival(state, len(parsed.tokens), most, parsed.reason)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"
