"""A node with a sync and an async form.

LangChain's RunnableLambda does the same, but inspects its functions at every call, which costs more than the
rest of a fast answer's way through the graph; LangGraph traces a node by itself.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import run_in_executor

from adaptive_reasoner.config import ReasonerConfig
from adaptive_reasoner.nodes.call_settings import CallSettings, read_call_settings
from adaptive_reasoner.state import ReasoningState

Update = dict[str, Any]
Form = Callable[[ReasoningState, RunnableConfig], Update]
AsyncForm = Callable[[ReasoningState, RunnableConfig], Awaitable[Update]]


class TwoForms(Runnable[ReasoningState, Update]):
    """Runs `form` under invoke and `async_form` under ainvoke."""

    def __init__(self, name: str, form: Form, async_form: AsyncForm) -> None:
        self.name = name
        self._form = form
        self._async_form = async_form

    def invoke(
        self,
        input: ReasoningState,  # noqa: A002 - LangChain's name for it
        config: RunnableConfig | None = None,
        **_kwargs: Any,
    ) -> Update:
        """Run the node."""
        return self._form(input, config or {})

    async def ainvoke(
        self,
        input: ReasoningState,  # noqa: A002
        config: RunnableConfig | None = None,
        **_kwargs: Any,
    ) -> Update:
        """Run the node without blocking the event loop."""
        return await self._async_form(input, config or {})


class Body(Protocol):
    """What a node does that waits for no model of its own."""

    def run(self, state: ReasoningState, settings: CallSettings, config: RunnableConfig) -> Update:
        """The node's update."""
        ...

    def is_quick(self, state: ReasoningState, settings: CallSettings) -> bool:
        """True if `run` asks no database and runs nobody else's code, and so may run on the event loop."""
        ...


def two_forms_of(name: str, body: Body, config: ReasonerConfig) -> TwoForms:
    """The node around `body`: where an event loop runs, a quick run spares the way to a thread and back."""

    def form(state: ReasoningState, run_config: RunnableConfig) -> Update:
        return body.run(state, read_call_settings(run_config, config), run_config)

    async def async_form(state: ReasoningState, run_config: RunnableConfig) -> Update:
        settings = read_call_settings(run_config, config)
        if body.is_quick(state, settings):
            return body.run(state, settings, run_config)
        return await run_in_executor(run_config, body.run, state, settings, run_config)

    return TwoForms(name, form, async_form)
