"""Settings: frozen, checked when they are built, a unit in every field's name or description."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, get_args

from adaptive_reasoner.checks import check_choice, check_method, check_patterns, check_positive, check_range
from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.state import DifficultyEstimator, Mode, Signal, Triage, Verdict

if TYPE_CHECKING:
    from adaptive_reasoner.budget.ledger import Ledger
    from adaptive_reasoner.budget.prices import PriceTable
    from adaptive_reasoner.uncertainty.opinion import SignalSource

BudgetScope = Literal["query", "thread", "tenant", "day"]
AnswerSpan = str | Callable[[str], tuple[int, int] | None]
Thoughts = Literal["keep", "redact", "drop"] | tuple[str, ...] | Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingPrice:
    """What spending costs at this moment, in P(right); below 0 it is paid for.

    Attributes:
        per_1000_tokens: of tokens, input and output together.
        per_call: of a call of the deep model, beside its tokens.
        tokens_a_call: what such a call takes; stands in where a profile does not know what a way will take.
    """

    per_1000_tokens: float = 0.0
    per_call: float = 0.0
    tokens_a_call: float = 0.0

    @property
    def of_a_call(self) -> float:
        """A typical call of the deep model with its tokens, in P(right)."""
        return self.per_call + self.per_1000_tokens * self.tokens_a_call / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What one query spent: calls of the deep model, their tokens, and the tokens of all calls."""

    thinking_calls: int
    thinking_tokens: int
    tokens: int


class Allocation(Protocol):
    """Keeps a budget on average by a price; `adaptive_reasoner.budget` has those that ship. Thread-safe."""

    def price(self, tenant: str | None = None) -> ThinkingPrice:
        """What spending costs now."""
        ...

    def observe(self, spending: Spending, tenant: str | None = None) -> None:
        """Take note of a finished query."""
        ...

    def report(self, tenant: str | None = None) -> dict[str, Any]:
        """Budget, price and what was spent so far, plain JSON."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the gate may still choose for an answer that was just given.

    Attributes:
        mode: how the answer was made.
        can_refine, can_escalate, can_review: which ways are open.
        accept_unknown: as in `ReasonerConfig`.
        price: what spending costs; None: what the profile was calibrated with.
        triage: what was expected before the answer.
        is_call: the answer asks for tools to be run.
    """

    mode: Mode
    can_refine: bool
    can_escalate: bool
    can_review: bool
    accept_unknown: bool = False
    price: ThinkingPrice | None = None
    triage: Triage | None = None
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's verdict on one answer, its risk, and the reason in words."""

    verdict: Verdict
    reason: str
    risk: float | None


class Gate(Protocol):
    """Turns a signal into a verdict; `GateProfile` is the implementation that ships."""

    def decide(self, signal: Signal, situation: Situation) -> Decision:
        """Decide what happens to an answer whose uncertainty is `signal`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A hard limit on what may be spent; the next call is made only if its worst case fits.

    Attributes:
        max_tokens: input and output tokens together.
        max_model_calls: calls, whatever their outcome.
        max_usd: money in US dollars; a call of unknown price is not made under it.
        max_seconds: wall-clock seconds since the scope began; of a tenant or a day, those of its calls added up.
        per: what the limit is counted over: one question, one thread, all that a tenant has spent since the ledger
            began, or a calendar day in UTC (the tenant's, where the call names one).
    """

    max_tokens: int | None = None
    max_model_calls: int | None = None
    max_usd: float | None = None
    max_seconds: float | None = None
    per: BudgetScope = "query"

    def __post_init__(self) -> None:
        limits = (self.max_tokens, self.max_model_calls, self.max_usd, self.max_seconds)
        if all(limit is None for limit in limits):
            raise ConfigurationError(
                "Budget() limits nothing: give max_tokens, max_model_calls, max_usd or max_seconds."
            )
        check_positive("Budget.max_tokens", self.max_tokens, whole=True)
        check_positive("Budget.max_model_calls", self.max_model_calls, whole=True)
        check_positive("Budget.max_usd", self.max_usd)
        check_positive("Budget.max_seconds", self.max_seconds)
        check_choice("Budget.per", self.per, get_args(BudgetScope))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonerConfig:
    """How the graph triages, doubts and spends.

    Attributes:
        gate: decides what happens to an answer; None takes the profile shipped for the model, or a cautious
            default that the report names as uncalibrated.
        triage: "auto" (rules, then the model's estimator), "off" (every query starts fast) or an estimator.
        think_at_gain: predicted gain in P(right), from which triage thinks at once instead of answering fast;
            None takes the estimator's own bound.
        always_think, never_think: regular expressions, case-insensitive, tried on the newest human turn.
        least_thinking_share: at least this share of the questions thinks, in [0, 1], drawn by a hash of their
            text: a safety valve, and an unbiased sample to monitor by.
        budget: one or several hard limits; all hold.
        tenants: the budgets of each known tenant, beside `budget`; a call must then name one of them.
        ledger: where budgets per tenant and day are counted, across threads, tasks and processes: a `Ledger`, its
            URL or the path of an SQLite file; None is ADAPTIVE_REASONER_LEDGER, or else a file of the user's.
        prices: what tokens cost; None is the file that ADAPTIVE_REASONER_PRICES names, or else the shipped table.
        allocation: what is kept on average, such as `ThinkingShare(0.3)` or `TokensPerQuery(400)` of
            `adaptive_reasoner.budget`: a price of thinking that follows the traffic.
        max_refinements: refine rounds a turn, counted anew after each tool result.
        max_model_calls: model calls a turn, tool rounds included; a hard cap beside any budget.
        max_output_tokens: output tokens of one model call; None leaves it to the model. Under a token budget,
            None is the model's own limit, or 4,096 tokens where that is unknown; a model whose output cannot be
            capped is called only if this many tokens (1,024 for None) still fit.
        model_timeout_seconds: seconds that one model call may take; None waits for ever.
        review: "low_confidence" interrupts for a person where nothing is left to try.
        accept_unknown: accept a deep answer whose confidence cannot be measured, instead of handing it on
            marked as unsure.
        fallback_signals: where an answer's own log probabilities tell nothing, what else is asked, the cheapest
            first: `RationaleAgreement`, `Verifier`, `SampleAgreement` of `adaptive_reasoner.uncertainty`, or your own.
        answer_span: the part of the answer that is scored: "auto", "whole", a regular expression (group 1, or
            the whole match) or a callable from text to (start, end).
        answer_order: "answer_first" asks fast answers for the answer first and its rationale after it, which is held
            against it; "auto" does so where triage expects the fast answer to be doubtful.
        rationale_share: of the questions that are answered first, this share, in [0, 1], is asked for a rationale,
            drawn by a hash of their text; the others are answered alone and cost no more than fast answers.
        agreement_share: of the runs, this share, in [0, 1], has its answers held against the thought or the rationale
            that is to be seen with them: by rule where it can be followed, else by one more call of the fast model. A
            contradiction counts in the gate. Drawn by the run's thread and beginning.
        thoughts: what becomes of thoughts and rationales, in messages, streams, traces and checkpoints: "keep";
            "redact" (a mark in their place); "drop"; a tuple of regular expressions, whose matches are redacted; or a
            callable from what was thought to what may be seen of it.
        top_logprobs: alternatives a token that are asked for, 2 to 20.
    """

    gate: Gate | None = None
    triage: Literal["auto", "off"] | DifficultyEstimator = "auto"
    think_at_gain: float | None = None
    always_think: tuple[str, ...] = ()
    never_think: tuple[str, ...] = ()
    least_thinking_share: float = 0.0
    budget: Budget | tuple[Budget, ...] = ()
    tenants: Mapping[str, Budget | tuple[Budget, ...]] | None = None
    ledger: "Ledger | str | None" = None
    prices: "PriceTable | None" = None
    allocation: Allocation | None = None
    max_refinements: int = 1
    max_model_calls: int = 8
    max_output_tokens: int | None = None
    model_timeout_seconds: float | None = 120.0
    review: Literal["never", "low_confidence"] = "never"
    accept_unknown: bool = False
    fallback_signals: "tuple[SignalSource, ...]" = ()
    answer_span: AnswerSpan = "auto"
    answer_order: Literal["think_first", "answer_first", "auto"] = "think_first"
    rationale_share: float = 1.0
    agreement_share: float = 0.0
    thoughts: Thoughts = "keep"
    top_logprobs: int = 20

    def __post_init__(self) -> None:
        check_choice("review", self.review, ("never", "low_confidence"))
        check_choice("answer_order", self.answer_order, ("think_first", "answer_first", "auto"))
        check_range("max_refinements", self.max_refinements, 0, 10)
        check_range("max_model_calls", self.max_model_calls, 1, 1000)
        check_range("top_logprobs", self.top_logprobs, 2, 20)
        if self.think_at_gain is not None:
            check_range("think_at_gain", self.think_at_gain, -1.0, 1.0)
        check_positive("model_timeout_seconds", self.model_timeout_seconds)
        check_positive("max_output_tokens", self.max_output_tokens, whole=True)
        check_range("least_thinking_share", self.least_thinking_share, 0.0, 1.0)
        check_range("rationale_share", self.rationale_share, 0.0, 1.0)
        check_range("agreement_share", self.agreement_share, 0.0, 1.0)
        _check_thoughts(self.thoughts)
        check_patterns("always_think", self.always_think)
        check_patterns("never_think", self.never_think)
        self._check_parts()

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets as a tuple, none or several."""
        return (self.budget,) if isinstance(self.budget, Budget) else tuple(self.budget)

    def budgets_of(self, tenant: Any) -> tuple[Budget, ...]:
        """The budgets of everybody and those of `tenant`, if it is a known one."""
        own = (self.tenants or {}).get(tenant, ()) if isinstance(tenant, str) else ()
        return (*self.budgets, *((own,) if isinstance(own, Budget) else own))

    def _check_parts(self) -> None:
        """The fields that take an object: what is given must do what will be asked of it."""
        if isinstance(self.triage, str):
            check_choice("triage", self.triage, ("auto", "off"))
        else:
            check_method("triage", self.triage, "estimate", '"auto", "off" or an estimator')
        if self.gate is not None:
            check_method("gate", self.gate, "decide", "a GateProfile, or None for the shipped one")
        _check_allocation(self.allocation)
        _check_budgets("budget", self.budget)
        _check_tenants(self.tenants)
        if self.ledger is not None and not (isinstance(self.ledger, str) and self.ledger):
            check_method("ledger", self.ledger, "reserve", "a Ledger, its URL, or the path of an SQLite file")
        if self.prices is not None:
            check_method("prices", self.prices, "price_of", "PriceTable.load(path)")
        sources: Any = self.fallback_signals
        if not isinstance(sources, list | tuple):
            raise ConfigurationError(f"fallback_signals is {sources!r}; give a tuple of signal sources.")
        for source in cast("list[Any]", sources):
            check_method("fallback_signals", source, "inquire", "a signal source such as SampleAgreement()")
        span: Any = self.answer_span
        if isinstance(span, str) and span not in {"auto", "whole"}:
            check_patterns("answer_span", (span,))
        elif not isinstance(span, str) and not callable(span):
            raise ConfigurationError(
                f'answer_span is {span!r}; use "auto", "whole", a regular expression or a callable.'
            )


def _check_thoughts(thoughts: Any) -> None:
    if isinstance(thoughts, str):
        check_choice("thoughts", thoughts, ("keep", "redact", "drop"))
    elif not callable(thoughts):
        check_patterns("thoughts", thoughts)


def _check_allocation(allocation: Any) -> None:
    for method in ("price", "observe", "report") if allocation is not None else ():
        check_method("allocation", allocation, method, "ThinkingShare(0.3) or TokensPerQuery(400)")


def _check_budgets(name: str, budgets: Any) -> None:
    several: Any = (budgets,) if isinstance(budgets, Budget) else budgets
    if not isinstance(several, list | tuple) or not all(
        isinstance(one, Budget) for one in cast("list[Any]", several)
    ):
        raise ConfigurationError(f"{name} is {budgets!r}; give a Budget or a tuple of them.")


def _check_tenants(tenants: Any) -> None:
    if tenants is None:
        return
    if not isinstance(tenants, Mapping) or not all(isinstance(name, str) and name for name in tenants):  # pyright: ignore[reportUnknownVariableType]
        raise ConfigurationError(f"tenants is {tenants!r}; give a mapping from names to budgets.")
    for name, budgets in cast("Mapping[str, Any]", tenants).items():
        _check_budgets(f"tenants[{name!r}]", budgets)
