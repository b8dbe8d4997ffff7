"""What an examination finds, as plain data: one finding a way to call the model."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["whole", "unusable", "missing", "failed", "not_known"]
Way = Literal["plain", "streamed", "events v3", "tools", "tools streamed", "structured"]
Api = Literal["in process", "chat completions", "responses"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived of one answer's log probabilities.

    Attributes:
        state: "whole": of every visible token; "unusable": some that cannot be trusted; "missing": none;
            "failed": the call raised; "not_known": it was not called.
        tokens: with log probabilities.
        alternatives: the most at any token, the chosen one included.
        reason: why they are not whole, in words.
    """

    state: State
    tokens: int = 0
    alternatives: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One way to call the model at one thinking level.

    Attributes:
        way: how it was called.
        thinking: the level, in the model's own word.
        is_fast: the level at which the graph asks for fast answers.
        langchain: what arrives in LangChain alone, when log probabilities are asked for.
        gate: what arrives when the graph calls the model as it does.
        reports_usage: tokens were counted by the provider in the graph's call; None: not known.
        note: what was odd, in words.
    """

    way: Way
    thinking: str
    is_fast: bool
    langchain: Arrival
    gate: Arrival
    reports_usage: bool | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting to change.

    Attributes:
        setting: as it is written.
        why: what it mends.
    """

    setting: str
    why: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found out about one model.

    Attributes:
        model: its name.
        api: where its calls go.
        probed: False: expected from LangChain's model profile, without any call.
        profile: the gate profile that would be used: "calibrated", "quantile" or "default" (uncalibrated).
        top_logprobs: the most alternatives a token that were accepted; None: any request was refused.
        findings: the ways that were probed.
        advice: settings to change, the most important first.
    """

    model: str
    api: Api
    probed: bool
    profile: str
    top_logprobs: int | None
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...] = field(default=())

    @property
    def rule(self) -> str:
        """What turns log probabilities into a verdict, in words."""
        return "uncalibrated rule" if self.profile == "default" else f"{self.profile} gate profile"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, with what the gate uses at every finding."""
        findings = [{**asdict(one), "gate_uses": gate_uses(one)} for one in self.findings]
        return {**asdict(self), "findings": findings, "advice": [asdict(one) for one in self.advice]}


def gate_uses(finding: Finding) -> str:
    """What the gate goes by at this finding, in words."""
    match finding.gate.state:
        case "whole":
            return "log probabilities"
        case "failed":
            return "nothing: no answer"
        case "not_known":
            return "not known"
        case _ if finding.is_fast:
            return "nothing: it thinks"
        case _:
            return "nothing: unsure"
