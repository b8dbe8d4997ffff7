"""The names under which a run is seen in LangSmith and OpenTelemetry, and where their values lie in the report.

Nothing here holds a question, an answer, or words about them: those stay out unless a caller wants them
(`content_attributes`). Names that OpenTelemetry's semantic conventions have are theirs (`gen_ai.*`, `error.type`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from adaptive_reasoner.state import ReasoningReport, Round

AttributeValue = str | bool | int | float | list[str]
Attributes = dict[str, AttributeValue]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value.

    Attributes:
        name: of the span attribute and of LangSmith's metadata.
        path: where it lies in the report or in the round, its keys joined by dots.
        meaning: in words, with the unit.
    """

    name: str
    path: str
    meaning: str


_OURS = "adaptive_reasoning"

# What a round and the whole run have alike.
SHARED_ATTRIBUTES = (
    Attribute("gen_ai.usage.input_tokens", "usage.input_tokens", "tokens sent"),
    Attribute("gen_ai.usage.output_tokens", "usage.output_tokens", "tokens received, thoughts included"),
    Attribute("gen_ai.usage.reasoning.output_tokens", "usage.reasoning_tokens", "tokens of thoughts"),
    Attribute(f"{_OURS}.cost_usd", "usage.cost_usd", "US dollars; absent where a price is unknown"),
    Attribute(f"{_OURS}.signal.kind", "signal.kind", "what the doubt was read from; `unknown` is never confident"),
    Attribute(f"{_OURS}.risk", "signal.risk", "calibrated P(wrong), where a profile is loaded"),
    Attribute(f"{_OURS}.entropy.lower_nats", "signal.entropy_nats.lower", "mean token entropy, lower bound, nats"),
    Attribute(f"{_OURS}.entropy.upper_nats", "signal.entropy_nats.upper", "mean token entropy, upper bound, nats"),
    Attribute(f"{_OURS}.covered_mass", "signal.covered_mass", "least mass that a token's top list covers"),
    Attribute(f"{_OURS}.min_probability", "signal.min_probability", "of the least probable token"),
    Attribute(f"{_OURS}.perplexity", "signal.perplexity", "of the scored tokens"),
    Attribute(f"{_OURS}.token_count", "signal.token_count", "tokens that were scored"),
)  # fmt: skip
RUN_ATTRIBUTES = (
    Attribute(f"{_OURS}.route", "route", "where triage sent the question: `fast` or `deep`"),
    Attribute(f"{_OURS}.triage.source", "triage.source", "the rule or the estimator that decided"),
    Attribute(f"{_OURS}.triage.gain", "triage.gain", "expected gain of thinking, in P(right)"),
    Attribute(f"{_OURS}.triage.difficulty", "triage.difficulty", "expected P(fast wrong)"),
    Attribute(f"{_OURS}.rounds", "len(rounds)", "model calls that the gate judged"),
    Attribute(f"{_OURS}.verdicts", "rounds[*]verdict", "the gate's verdicts in order"),
    Attribute(f"{_OURS}.accepted_round", "accepted_round", "whose answer was handed on; -1: every call failed"),
    Attribute(f"{_OURS}.review.action", "review.action", "what a person decided, where one was asked"),
    Attribute(f"{_OURS}.budget.exhausted", "budget.exhausted", "the limit that stopped the run"),
    Attribute(f"{_OURS}.allocation.kind", "allocation.kind", "what is kept on average"),
    Attribute(
        f"{_OURS}.allocation.price_per_thinking_query",
        "allocation.price_per_thinking_query",
        "price of thinking at the end of the run, in P(right)",
    ),
    Attribute(
        f"{_OURS}.allocation.price_per_1000_tokens",
        "allocation.price_per_1000_tokens",
        "price of 1000 tokens at the end of the run, in P(right)",
    ),
    Attribute(f"{_OURS}.rationale_agreement", "rationale_agreement", "1: the rationale leads to the answer; 0: not"),
    Attribute(f"{_OURS}.run_id", "run_id", "under which a recorder keeps the run"),
    *SHARED_ATTRIBUTES,
)  # fmt: skip
ROUND_ATTRIBUTES = (
    Attribute(f"{_OURS}.node", "node", "who answered: `fast_answer`, `deep_think` or `refine`"),
    Attribute(f"{_OURS}.verdict", "verdict", "what the gate made of it"),
    Attribute("error.type", "error", "stable code of the error that the call ended with"),
    Attribute(f"{_OURS}.capped_to", "capped_to", "output tokens that a budget left for the call"),
    Attribute(
        f"{_OURS}.cut.after_tokens", "cut.after_tokens", "where the stream was cut, bound to be escalated"
    ),
    Attribute(f"{_OURS}.signal.calls", "signal_calls", "further calls that the signal took"),
    *SHARED_ATTRIBUTES,
)
# Not from the report; of run and round, where nothing else is said.
CONTEXT_ATTRIBUTES = (
    Attribute("gen_ai.conversation.id", "", "the thread"),
    Attribute("gen_ai.response.model", "", "the model that answered, as it names itself; round only"),
    Attribute(f"{_OURS}.round", "", "index of the round in the report; round only"),
)
# Left out unless content is asked for.
CONTENT_ATTRIBUTES = (
    Attribute("gen_ai.input.messages", "", "the question, as JSON; run only"),
    Attribute("gen_ai.output.messages", "", "the answer, as JSON"),
    Attribute(f"{_OURS}.reason", "", "the last verdict in words, which may quote an error"),
)


def run_attributes(report: ReasoningReport) -> Attributes:
    """What the whole run says, by name; what is not known is absent."""
    rounds = report["rounds"]
    facts = {**report, "len(rounds)": len(rounds), "rounds[*]verdict": [one["verdict"] for one in rounds]}
    return _read(facts, RUN_ATTRIBUTES)


def round_attributes(one: Round) -> Attributes:
    """What one round says, by name; what is not known is absent."""
    return _read(cast("dict[str, Any]", one), ROUND_ATTRIBUTES)


def content_attributes(last: Round, answer: str, question: str | None = None) -> Attributes:
    """The words themselves, in the shape that the semantic conventions give to messages."""
    asked = {"gen_ai.input.messages": _message("user", question)} if question is not None else {}
    reason = {f"{_OURS}.reason": last["reason"]} if "reason" in last else {}
    return {**asked, "gen_ai.output.messages": _message("assistant", answer), **reason}


def _read(facts: Mapping[str, Any], attributes: tuple[Attribute, ...]) -> Attributes:
    found = {one.name: _at(facts, one.path) for one in attributes}
    return {name: value for name, value in found.items() if value is not None}


def _at(facts: Any, path: str) -> Any:
    for key in path.split("."):
        facts = cast("Mapping[str, Any]", facts).get(key) if isinstance(facts, Mapping) else None
    return facts


def _message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)
