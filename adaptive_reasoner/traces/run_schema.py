"""What a line of a runs file must hold, as far as it is read; the rest of it is kept unlooked at."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from adaptive_reasoner.state import AnsweringNode, Route, SignalKind, Verdict


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Entropy(_Checked):
    lower: float
    upper: float


class _Signal(_Checked):
    kind: SignalKind
    risk: float | None = Field(ge=0, le=1)
    entropy_nats: _Entropy | None
    min_probability: float | None = Field(ge=0, le=1)
    perplexity: float | None = Field(gt=0)
    token_count: int = Field(ge=0)
    spans: list[dict[str, Any]]
    thought_logprob: float = 0.0
    repeats: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> "_Signal":
        measured = (self.entropy_nats, self.min_probability, self.perplexity)
        if self.kind == "logprobs" and None in measured:
            raise ValueError('a signal of kind "logprobs" has entropy_nats, min_probability and perplexity')
        return self


class _Usage(_Checked):
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    reasoning_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)
    cost_usd: float | None


class _Round(_Checked):
    node: AnsweringNode
    verdict: Verdict
    signal: _Signal
    usage: _Usage
    latency_seconds: float = Field(ge=0)
    signal_calls: int = Field(default=0, ge=0)


class _Triage(_Checked):
    gain: float
    difficulty: float
    source: str
    reason: str


class _Budget(_Checked):
    limits: list[dict[str, Any]]
    exhausted: str | None


class _Report(_Checked):
    route: Route
    triage: _Triage
    rounds: list[_Round]
    accepted_round: int = Field(ge=-1)
    usage: _Usage
    budget: _Budget | None

    @model_validator(mode="after")
    def _names_a_round(self) -> "_Report":
        if self.accepted_round >= len(self.rounds):
            raise ValueError(f"accepted_round is {self.accepted_round} of {len(self.rounds)} rounds")
        return self


class _Run(_Checked):
    run_id: str
    recorded_at: AwareDatetime = Field(strict=False)
    question: str
    answer: str
    answers: list[str]
    models: list[str]
    report: _Report
    thread_id: str | None
    tenant: str | None
    thoughts: list[str] = Field(default_factory=list[str])

    @model_validator(mode="after")
    def _pairs_up(self) -> "_Run":
        if not len(self.answers) == len(self.models) == len(self.report.rounds):
            raise ValueError("answers, models and report.rounds differ in length")
        return self


class _Label(_Checked):
    run_id: str
    correct: bool | None = None
    answer: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _says_one_thing(self) -> "_Label":
        is_open = {
            "correct",
            "answer",
        } <= self.model_fields_set  # exported for a person, and not filled in yet
        if (self.correct is None) == (self.answer is None) and not (is_open and self.correct is None):
            raise ValueError('a label has either "correct": true or false, or "answer": the right one')
        return self


def find_run_fault(data: Any) -> str | None:
    """What is wrong with a recorded run, in words; None if it can be read."""
    return _fault(_Run, data)


def find_label_fault(data: Any) -> str | None:
    """What is wrong with a label; None if it can be read."""
    return _fault(_Label, data)


def _fault(model: type[BaseModel], data: Any) -> str | None:
    try:
        model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        said = str(first["msg"]).removeprefix("Value error, ")
        return f"{place}: {said}" if place else said
    return None
