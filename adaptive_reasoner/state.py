"""What travels through the graph: typed dictionaries of plain JSON, and no logic.

A checkpointer must give back exactly what it got under `LANGGRAPH_STRICT_MSGPACK=true`, so nothing here is
a class instance except LangChain's own messages, which every checkpointer knows.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, Protocol, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage
from langgraph.graph.message import add_messages

Route = Literal["fast", "deep"]
Mode = Literal["fast", "deep", "refine"]
AnsweringNode = Literal["fast_answer", "deep_think", "refine"]
Verdict = Literal["accept", "refine", "escalate", "review", "give_up"]
SignalKind = Literal["logprobs", "agreement", "verifier", "unknown"]

MODE_OF_NODE: dict[AnsweringNode, Mode] = {"fast_answer": "fast", "deep_think": "deep", "refine": "refine"}


class EntropyBounds(TypedDict):
    """Bounds of the mean token entropy over the answer span, in nats; truncated top lists leave an interval."""

    lower: float
    upper: float


class UncertainSpan(TypedDict):
    """A stretch of the answer that the model was unsure of."""

    text: str
    start: int  # character offset in the answer's text, inclusive
    end: int  # exclusive
    entropy_nats: float
    alternatives: list[list[Any]]  # [text, probability], most probable first, the chosen text first


class Signal(TypedDict):
    """How sure an answer is, and how that is known."""

    kind: SignalKind
    risk: float | None  # calibrated P(wrong) in [0, 1] where a profile is loaded
    entropy_nats: EntropyBounds | None
    covered_mass: float | None  # least probability mass that a token's top list covers, in [0, 1]
    min_probability: float | None
    perplexity: float | None
    token_count: int  # tokens in the answer span
    spans: list[UncertainSpan]
    reason: str | None  # why the kind is "unknown", or what limits the signal
    # After a thought the answer's own tokens are sure, however doubtful the thought was.
    thought_logprob: NotRequired[float]  # ln P of the whole thought, where the model reports it
    repeats: NotRequired[bool]  # of a refined answer: it is the answer that was sent back
    support: NotRequired[
        float
    ]  # of a deep answer: the probability that the fast answer gave to it, in [0, 1]
    rationale_agreement: NotRequired[float]  # 1.0: its visible work leads to the answer; 0.0: to another one


class Usage(TypedDict):
    """Tokens and money of one model call, or of several together."""

    input_tokens: int
    output_tokens: int  # includes reasoning_tokens
    reasoning_tokens: int
    total_tokens: int
    cost_usd: float | None  # None: a price is unknown


class Triage(TypedDict):
    """What was expected of thinking before the first call."""

    gain: float  # P(deep right) - P(fast right), in [-1, 1]
    difficulty: float  # P(fast wrong), in [0, 1]
    source: str  # rule or estimator that decided
    reason: str
    usage: NotRequired[Usage]  # of the model call that the estimate took, if it took one
    latency_seconds: NotRequired[float]  # of that call


class Cut(TypedDict):
    """Where an answer's stream was cut, because the verdict could only be "escalate"."""

    after_tokens: int  # that had come; the output tokens of the round
    window_tokens: int  # over which the certainty is a mean
    measure: str  # what the certainty is: "confidence" (DeepConf's C), "entropy" (negative) or "logprob"
    certainty: float  # of the newest window, nats
    threshold: float  # at or below which a window cuts, nats


class UncertainStep(TypedDict):
    """A step of a visible thought in which others were about as probable as what was written."""

    step: int  # from 1
    text: str
    start: int  # character offset in the thought, inclusive
    end: int  # exclusive
    entropy_nats: float  # of its least certain token


class Round(TypedDict):
    """One model call and what the gate made of it."""

    node: AnsweringNode
    verdict: Verdict
    signal: Signal
    usage: Usage
    latency_seconds: float
    reason: NotRequired[str]  # why this verdict
    error: NotRequired[str]  # code of the error that this call ended with
    tool_calls: NotRequired[list[str]]  # names of the tools that it asked for
    usage_estimated: NotRequired[bool]  # the model reported no usage, so tokens were counted here
    signal_calls: NotRequired[int]  # further calls, within this round's usage, that its signal took
    capped_to: NotRequired[int]  # output tokens that a budget left for the call, fewer than it would take
    thinking: NotRequired[str]  # how the model thought otherwise than it was asked, where that shows
    cut: NotRequired[Cut]  # the answer was cut off early and is none
    uncertain_steps: NotRequired[
        list[UncertainStep]
    ]  # of its visible thought, where log probabilities cover it; [] if all were sure


class BudgetStatus(TypedDict):
    """What the budgets allowed and what the query used of them."""

    limits: list[dict[str, Any]]  # the budgets as given, plain
    exhausted: str | None  # which limit stopped the next call, in words
    used_tokens: int
    used_model_calls: int
    used_seconds: float
    used_usd: float | None  # None: a price is unknown
    # Of each account in the ledger: tokens, model_calls, seconds, cost_usd; calls under way at their worst case.
    accounts: NotRequired[dict[str, dict[str, Any]]]


class StepMark(TypedDict):
    """One step of a visible thought that a person marked as wrong."""

    round: int  # index into rounds
    step: int  # from 1
    text: str  # of the step
    kept: str  # the thought before it
    note: NotRequired[str]


class ModelSwitch(TypedDict):
    """Where a thread went over to the other model, which had to read it without the help of a prompt cache."""

    round: int  # index into rounds
    from_model: str
    to_model: str
    tokens_read_anew: int  # at most: input tokens of the call before, or of this one where it is shorter


class ReasoningReport(TypedDict):
    """Why this answer: the route, every round, and how sure the accepted one is."""

    route: Route
    triage: Triage
    rounds: list[Round]
    accepted_round: int  # index into rounds, -1 while none is accepted
    signal: Signal
    usage: Usage
    budget: BudgetStatus | None
    rationale_agreement: float | None
    delivery: NotRequired[str]  # what became of the hand-off to `downstream`
    review: NotRequired[dict[str, Any]]  # what a person decided
    step_marks: NotRequired[
        list[StepMark]
    ]  # steps that a person marked as wrong; the loop went on from before each
    allocation: NotRequired[dict[str, Any]]  # what is kept on average, its price, and what was spent so far
    run_id: NotRequired[str]  # under which it is recorded, where it is; labels name it
    recording: NotRequired[str]  # why the run could not be recorded
    switches: NotRequired[list[ModelSwitch]]  # of an agent's thread between two models, where there were any


class RunRecord(TypedDict):
    """What a recorder gets: enough to see a run again, and to fit triage and gate to it anew."""

    run_id: str  # the same where a resumed graph records the same run again
    recorded_at: str  # ISO 8601, UTC
    question: str
    answer: str  # as handed on
    answers: list[str]  # of each round, parallel to report["rounds"]
    models: list[str]  # who gave each round's answer, "" where that is unknown
    report: ReasoningReport
    thread_id: str | None
    tenant: str | None
    version: str  # of this package
    thoughts: NotRequired[
        list[str]
    ]  # of each round, "" where none are shown; as ReasonerConfig.thoughts leaves them
    seed: NotRequired[int]  # of the models, where the call set one


class ReasoningInput(TypedDict):
    """What a caller gives."""

    messages: Annotated[list[AnyMessage], add_messages]


class ReasoningOutput(TypedDict):
    """What a caller gets."""

    messages: Annotated[list[AnyMessage], add_messages]
    reasoning: ReasoningReport


class Attempt(TypedDict):
    """The model call that the gate has not judged yet."""

    node: AnsweringNode
    usage: Usage
    usage_estimated: bool
    latency_seconds: float
    error: str | None  # code
    error_message: str | None
    refused_by: str | None  # the limit that forbade the call, None if it was made
    signal: NotRequired[Signal]  # from elsewhere than the answer's log probabilities, which tell nothing
    signal_calls: NotRequired[int]  # model calls that this, and the check of the work, took
    rationale_agreement: NotRequired[
        float
    ]  # 1.0: the work that came with it leads to it; 0.0: to another answer
    capped_to: NotRequired[int]  # output tokens that a budget left for the call
    thinking: NotRequired[str]  # how the model thought otherwise than it was asked
    cut: NotRequired[Cut]  # its stream was cut early


class Turn(TypedDict):
    """Private working memory of the turn under way; triage starts a fresh one."""

    started_at: float  # seconds since the epoch
    attempt: Attempt | None
    next_node: Literal["refine", "deep_think", "review", "tools", "hand_off"]  # where the gate sends it
    answers_from: int  # first round whose answer may be handed on; earlier ones asked for tools
    stopped_by: str | None  # the limit that ruled out further calls
    claim: str | None  # what claims this turn's hand-off to `downstream`; None once it is done
    tool_claims: NotRequired[dict[str, str]]  # of the tool calls that are run next, by their ids
    step_mark: NotRequired[StepMark]  # the thought goes on from before this step
    begun: NotRequired["ThreadTotals"]  # what the question took in runs before the caller's tools


class ThreadTotals(TypedDict):
    """What the earlier turns of a thread used."""

    tokens: int
    model_calls: int
    seconds: float
    cost_usd: float | None


class ReasoningState(TypedDict):
    """The graph's whole state; `candidates` runs parallel to `reasoning["rounds"]`, and triage sets all keys."""

    messages: Annotated[list[AnyMessage], add_messages]
    reasoning: ReasoningReport
    candidates: list[AIMessage]
    turn: Turn
    thread_totals: NotRequired[ThreadTotals]  # set by the first hand-off of a thread


class ReasoningContext(TypedDict, total=False):
    """Per-call settings: `graph.invoke(..., context={...})` or `config["configurable"]`."""

    thinking: Any  # "auto" | "off" | "on" | {"budget_tokens": n}
    importance: Literal["normal", "high"]
    budget: Any  # a Budget or several
    tenant: str
    # Call-time arguments for the models, as plain data: tools (in OpenAI's shape), tool_choice, stop, seed, …
    # Calls of these tools are handed on with the answer, not run.
    model_kwargs: dict[str, Any]
    answer_tools: Sequence[str]  # tools whose calls are answers: handed on even where they are in doubt


class DifficultyEstimator(Protocol):
    """Predicts what thinking would gain; see `adaptive_reasoner.triage`."""

    def estimate(self, messages: Sequence[BaseMessage]) -> Triage:
        """Estimate for the newest human turn of `messages`, judged in its thread."""
        ...


class Recorder(Protocol):
    """Gets one record a run; a trace store implements it."""

    def record(self, record: dict[str, Any]) -> None:
        """Keep `record`, plain JSON, its keys those of `RunRecord`.

        It is called from a thread of its own. Whatever it raises is reported under `recording`, and the answer
        is handed on all the same.
        """
        ...
