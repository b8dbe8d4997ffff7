"""From findings to settings: each rule reads the findings and gives at most one piece of advice."""

from collections.abc import Iterable
from dataclasses import replace

from adaptive_reasoner.doctor.diagnosis import Advice, Arrival, Diagnosis, Finding, Way

_ASKED_FOR = 20
_SAMPLES = "ReasonerConfig(fallback_signals=(SampleAgreement(),))"


def with_advice(diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with the settings that it calls for."""
    found = (rule(diagnosis) for rule in _RULES)
    return replace(diagnosis, advice=tuple(one for one in found if one is not None))


def _other_model(diagnosis: Diagnosis) -> Advice | None:
    """No way at the fast level brings usable log probabilities."""
    fast = [one for one in diagnosis.findings if one.is_fast]
    states = {one.gate.state for one in fast}
    if states & {"whole", "not_known"}:
        return None
    reason = next((one.gate.reason for one in fast if one.gate.reason), "none arrive")
    if states == {"failed"}:
        why = f"calls that ask for log probabilities fail, and so do the graph's ({reason})"
        return Advice("another model or endpoint for fast answers", why)
    why = f"fast answers are all thought through, because their confidence is unknown ({reason})"
    return Advice(f"another model or endpoint for fast answers, or {_SAMPLES}", why)


def _fewer_alternatives(diagnosis: Diagnosis) -> Advice | None:
    count = diagnosis.top_logprobs
    if count is None or count >= _ASKED_FOR or not diagnosis.probed:
        return None
    why = f"the endpoint refuses more than {count} alternatives a token, and the graph asks for {_ASKED_FOR}"
    return Advice(f"ReasonerConfig(top_logprobs={count})", why)


def _no_streaming(diagnosis: Diagnosis) -> Advice | None:
    if not _is(diagnosis, "plain", {"whole"}) or not _is(diagnosis, "streamed", _LOST):
        return None
    reason = _gate(diagnosis, "streamed").reason or "none arrive"
    return Advice(
        "disable_streaming=True on the model", f"log probabilities do not survive its streams: {reason}"
    )


def _no_streamed_tools(diagnosis: Diagnosis) -> Advice | None:
    if _no_streaming(diagnosis) or not _is(diagnosis, "tools", {"whole"}):
        return None
    if not _is(diagnosis, "tools streamed", _LOST):
        return None
    reason = _gate(diagnosis, "tools streamed").reason or "none arrive"
    return Advice('disable_streaming="tool_calling" on the model', f"streamed tool calls lose them: {reason}")


def _tools_unknown(diagnosis: Diagnosis) -> Advice | None:
    if not _is(diagnosis, "plain", {"whole"}) or not _is(diagnosis, "tools", _LOST):
        return None
    why = "the confidence of tool calls is unknown, so that they are thought through and then handed on as unsure"
    return Advice(f'{_SAMPLES}, or review="low_confidence"', why)


def _thought_unknown(diagnosis: Diagnosis) -> Advice | None:
    thought = [one for one in diagnosis.findings if not one.is_fast]
    if not thought or any(one.gate.state not in _LOST for one in thought):
        return None
    why = "answers after thinking carry none here, so that they are handed on as unsure"
    return Advice(
        "ReasonerConfig(fallback_signals=(Verifier(), SampleAgreement())), or accept_unknown=True", why
    )


def _count_usage(diagnosis: Diagnosis) -> Advice | None:
    silent = [one.way for one in diagnosis.findings if one.reports_usage is False]
    if not silent:
        return None
    why = f"the provider counts no tokens ({', '.join(dict.fromkeys(silent))}): budgets go by an estimate"
    return Advice("usage reporting on the server, where it can be switched on", why)


def _calibrate(diagnosis: Diagnosis) -> Advice | None:
    if diagnosis.profile != "default" or not any(one.gate.state == "whole" for one in diagnosis.findings):
        return None
    why = "no profile is known for this model, so that the gate goes by an uncalibrated rule"
    return Advice("ReasonerConfig(gate=calibrate(examples, max_error=0.05))", why)


def _v3_in_own_code(diagnosis: Diagnosis) -> Advice | None:
    if not _is(diagnosis, "plain", {"whole"}) or _alone(diagnosis, "events v3").state not in _LOST:
        return None
    if not _is(diagnosis, "events v3", {"whole"}):
        return None
    why = "LangChain's v3 event streaming keeps the last token's alone; the graph puts them together again"
    return Advice("nothing in the graph; disable_streaming=True where you call the model yourself", why)


def _responses_in_own_code(diagnosis: Diagnosis) -> Advice | None:
    if diagnosis.api != "responses" or not _is(diagnosis, "plain", {"whole"}):
        return None
    why = "LangChain drops the log probabilities of the Responses API; the graph reads them from the response"
    return Advice("nothing in the graph; use_responses_api=False where you call the model yourself", why)


_LOST = {"missing", "unusable", "failed"}
_RULES = (
    _other_model,
    _fewer_alternatives,
    _no_streaming,
    _no_streamed_tools,
    _tools_unknown,
    _thought_unknown,
    _count_usage,
    _calibrate,
    _responses_in_own_code,
    _v3_in_own_code,
)


def _is(diagnosis: Diagnosis, way: Way, states: Iterable[str]) -> bool:
    return _gate(diagnosis, way).state in states


def _gate(diagnosis: Diagnosis, way: Way) -> Arrival:
    found = _fast(diagnosis, way)
    return found.gate if found else Arrival("not_known")


def _alone(diagnosis: Diagnosis, way: Way) -> Arrival:
    found = _fast(diagnosis, way)
    return found.langchain if found else Arrival("not_known")


def _fast(diagnosis: Diagnosis, way: Way) -> Finding | None:
    return next((one for one in diagnosis.findings if one.is_fast and one.way == way), None)
