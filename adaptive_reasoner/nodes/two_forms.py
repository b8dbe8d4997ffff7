"""A node with a sync and an async form.

LangChain's RunnableLambda does the same, but inspects its functions at every call, which costs more than the
rest of a fast answer's way through the graph; LangGraph traces a node by itself.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

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
