"""The options that `ask` and `chat` share, and what they come to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptive_reasoner.errors import ConfigurationError

if TYPE_CHECKING:
    from adaptive_reasoner.config import ReasonerConfig
    from adaptive_reasoner.state import ReasoningContext, Recorder

_MODELS = "Models"
_POLICY = "Policy"
_OUTPUT = "Output"


class BudgetScope(StrEnum):
    """What a budget is counted over."""

    QUERY = "query"
    THREAD = "thread"
    TENANT = "tenant"
    DAY = "day"


class AnswerOrder(StrEnum):
    """Whether a fast answer comes before its rationale."""

    THINK_FIRST = "think_first"
    ANSWER_FIRST = "answer_first"
    AUTO = "auto"


class Importance(StrEnum):
    """How much a wrong answer would cost."""

    NORMAL = "normal"
    HIGH = "high"


Fast = Annotated[
    str | None,
    typer.Option(
        envvar="ADAPTIVE_REASONER_FAST",
        help='Model that answers: "embedded" (default), such as "openai:gpt-4.1-mini", "local:FOLDER", '
        '"student:FOLDER" or "guided:TARGET,EXPERT,BASE".',
        rich_help_panel=_MODELS,
    ),
]
Deep = Annotated[
    str | None,
    typer.Option(
        envvar="ADAPTIVE_REASONER_DEEP",
        help="Model that thinks; without it the fast model thinks.",
        rich_help_panel=_MODELS,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        help="OpenAI-compatible endpoint that serves the models, such as http://127.0.0.1:8000/v1.",
        rich_help_panel=_MODELS,
    ),
]
ApiKeyEnv = Annotated[
    str | None,
    typer.Option(
        help="Environment variable that holds the endpoint's key; without it --base-url gets none.",
        rich_help_panel=_MODELS,
    ),
]
Thinking = Annotated[
    str,
    typer.Option(
        help="auto: when it pays; off; on: always; or a number: at most so many tokens of thought.",
        metavar="auto|off|on|N",
        rich_help_panel=_POLICY,
    ),
]
AnswerOrderOption = Annotated[
    AnswerOrder,
    typer.Option(
        "--answer-order",
        help="answer_first: fast answers give a rationale after the answer, which is held against it; auto: where the "
        "fast answer is expected to be doubtful; think_first: no rationale.",
        rich_help_panel=_POLICY,
    ),
]
ImportanceOption = Annotated[
    Importance, typer.Option("--importance", help="high always thinks.", rich_help_panel=_POLICY)
]
BudgetTokens = Annotated[
    int | None,
    typer.Option(
        min=1, help="Hard limit on input and output tokens, see --budget-per.", rich_help_panel=_POLICY
    ),
]
BudgetPer = Annotated[
    BudgetScope,
    typer.Option(
        help="What --budget-tokens counts: a query, the thread, all of a tenant's, a day (UTC).",
        rich_help_panel=_POLICY,
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        help="Who the budget of a tenant or a day is counted for.", metavar="NAME", rich_help_panel=_POLICY
    ),
]
LedgerUrl = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        envvar="ADAPTIVE_REASONER_LEDGER",
        help="Where these are counted: an SQLite file, or postgresql://user:password@host/database.",
        metavar="URL",
        rich_help_panel=_POLICY,
    ),
]
MaxRefinements = Annotated[
    int, typer.Option(min=0, max=10, help="Refine rounds a question.", rich_help_panel=_POLICY)
]
Review = Annotated[
    bool, typer.Option("--review", help="Ask a person where doubt remains.", rich_help_panel=_POLICY)
]
ShowThoughts = Annotated[
    bool, typer.Option("--show-thoughts", help="Print what the model thinks.", rich_help_panel=_OUTPUT)
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON object a turn: answer, report, thread_id.", rich_help_panel=_OUTPUT
    ),
]
NoColor = Annotated[
    bool, typer.Option("--no-color", help="No colours; the bars say the same.", rich_help_panel=_OUTPUT)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Which models answer and think, and where they are reached."""

    fast: str | None = None
    deep: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None


Record = Annotated[
    str | None,
    typer.Option(
        help="Append each run to this file, or keep it in this store (sqlite:///FILE, postgresql://…), for "
        "`traces report` and `calibrate`.",
        metavar="FILE|URL",
        rich_help_panel=_OUTPUT,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the loop may do with a question, and where its runs are recorded."""

    thinking: str = "auto"
    importance: Importance = Importance.NORMAL
    answer_order: AnswerOrder = AnswerOrder.THINK_FIRST
    budget_tokens: int | None = None
    budget_per: BudgetScope = BudgetScope.QUERY
    tenant: str | None = None
    ledger: str | None = None
    max_refinements: int = 1
    review: bool = False
    record: str | None = None

    def config(self) -> "ReasonerConfig":
        """Settings of the graph.

        Raises:
            ConfigurationError: options contradict one another.
        """
        from adaptive_reasoner.config import Budget, ReasonerConfig

        if self.budget_tokens is None and self.budget_per != BudgetScope.QUERY:
            raise ConfigurationError(f"--budget-per {self.budget_per.value} needs --budget-tokens N.")
        if self.tenant is None and self.budget_per == BudgetScope.TENANT:
            raise ConfigurationError("--budget-per tenant needs --tenant NAME.")
        limit, per = self.budget_tokens, self.budget_per.value
        return ReasonerConfig(
            budget=Budget(max_tokens=limit, per=per) if limit else (),
            ledger=self.ledger,
            answer_order=self.answer_order.value,
            max_refinements=self.max_refinements,
            review="low_confidence" if self.review else "never",
        )

    def recorder(self) -> "Recorder | None":
        """What keeps the runs.

        Raises:
            ConfigurationError: the file cannot be written.
            TraceStoreError: the store cannot be used.
        """
        from adaptive_reasoner.traces.recorders import make_recorder

        return make_recorder(self.record) if self.record else None

    def context(self) -> "ReasoningContext":
        """Settings of one call."""
        asked: ReasoningContext = {
            "thinking": parse_thinking(self.thinking),
            "importance": self.importance.value,
        }
        return asked if self.tenant is None else {**asked, "tenant": self.tenant}


def parse_thinking(text: str) -> Any:
    """Turn the text of `--thinking` into the graph's setting.

    Raises:
        ConfigurationError: it is neither a known word nor a whole number above 0.
    """
    if text in {"auto", "off", "on"}:
        return text
    if text.isdecimal() and int(text) > 0:
        return {"budget_tokens": int(text)}
    raise ConfigurationError(f"--thinking is {text!r}; use auto, off, on, or a number of tokens such as 64.")
