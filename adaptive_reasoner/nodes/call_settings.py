"""What one caller asked for: `context=` first, then `config["configurable"]`, then the defaults."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import get_runtime

from adaptive_reasoner.config import Budget, ReasonerConfig
from adaptive_reasoner.errors import ConfigurationError, UnknownTenantError
from adaptive_reasoner.thinking.switch import Thinking

# What a caller may set for one call.
CALL_SETTINGS = ("thinking", "importance", "budget", "tenant")


@dataclass(frozen=True, slots=True)
class CallSettings:
    """One call's settings, checked.

    Attributes:
        thinking: "auto", "off", "on" or {"budget_tokens": n}.
        importance: "normal" or "high".
        budgets: the config's and the caller's budgets together; all hold.
        tenant: who the call is for, None if nobody was named.
        thread_id: the thread's, None without one.
        task: names the node's run; the same where a resumed graph runs it anew.
        model_kwargs: the call's own arguments for the models, see `ReasoningContext`.
        answer_tools: names of the tools whose calls are answers.
    """

    thinking: Any
    importance: str
    budgets: tuple[Budget, ...]
    tenant: str | None
    thread_id: str | None = None
    task: str = ""
    model_kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    answer_tools: frozenset[str] = frozenset()

    @property
    def deep_thinking(self) -> Thinking:
        """How the deep node thinks: fully, or to the caller's budget of tokens."""
        return "on" if isinstance(self.thinking, str) else self.thinking

    @property
    def may_think(self) -> bool:
        """False if the caller switched thinking off."""
        return self.thinking != "off"

    def thinking_at_most(self, tokens: int) -> "CallSettings":
        """The same with thoughts of at most so many tokens."""
        asked = self.deep_thinking
        most = asked.get("budget_tokens", tokens) if isinstance(asked, dict) else tokens
        return dataclasses.replace(self, thinking={"budget_tokens": min(tokens, most)})


def read_call_settings(run_config: RunnableConfig, config: ReasonerConfig) -> CallSettings:
    """Read and check the settings of the call under way.

    Raises:
        ConfigurationError: a setting has a value that does not exist.
        UnknownTenantError: it names no tenant, or an unknown one, where budgets are kept for tenants.
    """
    asked = _asked(run_config)
    tenant = asked.get("tenant")
    budgets = (*config.budgets_of(tenant), *_as_budgets(asked.get("budget")))
    _check_tenant(tenant, config, budgets)
    thinking, importance = asked.get("thinking", "auto"), asked.get("importance", "normal")
    if thinking not in ("auto", "off", "on") and not _is_token_budget(thinking):
        raise ConfigurationError(
            f'thinking is {thinking!r}; use "auto", "off", "on" or {{"budget_tokens": n}} with n ≥ 1.'
        )
    if importance not in ("normal", "high"):
        raise ConfigurationError(f'importance is {importance!r}; use "normal" or "high".')
    run = run_config.get("configurable") or {}
    thread_id = run.get("thread_id")
    return CallSettings(
        thinking,
        importance,
        budgets,
        tenant,
        thread_id=None if thread_id is None else str(thread_id),
        task=str(run.get("checkpoint_ns") or ""),
        model_kwargs=_mapping(asked.get("model_kwargs")),
        answer_tools=frozenset(asked.get("answer_tools", ())),
    )


def _check_tenant(tenant: Any, config: ReasonerConfig, budgets: tuple[Budget, ...]) -> None:
    if tenant is not None and not (isinstance(tenant, str) and tenant):
        raise ConfigurationError(f'tenant is {tenant!r}; give a name: context={{"tenant": "…"}}.')
    needs_one = config.tenants is not None or any(budget.per == "tenant" for budget in budgets)
    if tenant is None and needs_one:
        raise UnknownTenantError(
            'A budget is kept for each tenant and the call names none; give context={"tenant": "…"}.'
        )
    if config.tenants is not None and tenant not in config.tenants:
        raise UnknownTenantError(
            f"The tenant {tenant!r} is not in ReasonerConfig.tenants; add it there or name another."
        )


def _asked(run_config: RunnableConfig) -> dict[str, Any]:
    configurable = run_config.get("configurable") or {}
    context: Any = get_runtime().context
    given: Mapping[str, Any] = cast("Mapping[str, Any]", context) if isinstance(context, Mapping) else {}
    both = {**configurable, **given}
    return {key: both[key] for key in (*CALL_SETTINGS, "model_kwargs", "answer_tools") if key in both}


def _mapping(model_kwargs: Any) -> Mapping[str, Any]:
    if model_kwargs is not None and not isinstance(model_kwargs, Mapping):
        raise ConfigurationError(
            f'model_kwargs is {model_kwargs!r}; give call-time arguments by name: {{"stop": ["\\n"]}}.'
        )
    return cast("Mapping[str, Any]", model_kwargs or {})


def _as_budgets(budget: Any) -> tuple[Budget, ...]:
    if budget is None:
        return ()
    several = cast("list[Any]", budget) if isinstance(budget, list | tuple) else [budget]
    return tuple(_as_budget(one) for one in several)


def _as_budget(budget: Any) -> Budget:
    if isinstance(budget, Budget):
        return budget
    fields: dict[Any, Any] = cast("dict[Any, Any]", budget) if isinstance(budget, dict) else {"": budget}
    unknown = set(fields) - {field.name for field in dataclasses.fields(Budget)}
    if unknown:
        raise ConfigurationError(
            f"budget is {budget!r}; give a Budget, its fields as a dict, or a list of them."
        )
    return Budget(**fields)


def _is_token_budget(thinking: Any) -> bool:
    if not isinstance(thinking, dict):
        return False
    tokens = cast("dict[str, Any]", thinking).get("budget_tokens")
    return isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 1
