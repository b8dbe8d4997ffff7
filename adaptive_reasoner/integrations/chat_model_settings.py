"""A chat model whose calls take settings from `config["configurable"]` and from the graph around them.

LangChain hands neither to `_generate`, so they become arguments of the call where the call begins; what the caller
gives as an argument counts before them.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import RunnableConfig
from typing_extensions import override

from adaptive_reasoner.integrations.chat_model_call import settings_of


class TakesSettings(BaseChatModel):
    """Adds the settings of a call to its arguments, whichever way it is made."""

    @override
    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; see `BaseChatModel.invoke`."""
        return super().invoke(input, config, stop=stop, **{**settings_of(config), **kwargs})

    @override
    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; see `BaseChatModel.ainvoke`."""
        return await super().ainvoke(input, config, stop=stop, **{**settings_of(config), **kwargs})

    @override
    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Answer in pieces; see `BaseChatModel.stream`."""
        yield from super().stream(input, config, stop=stop, **{**settings_of(config), **kwargs})

    @override
    async def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Answer in pieces; see `BaseChatModel.astream`."""
        async for chunk in super().astream(input, config, stop=stop, **{**settings_of(config), **kwargs}):
            yield chunk

    @override
    def stream_events(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Answer in events; see `BaseChatModel.stream_events`."""
        whole: Any = super()  # its overloads say what comes back for each version
        return whole.stream_events(input, config, **{**settings_of(config), **kwargs})

    @override
    def astream_events(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Answer in events; see `BaseChatModel.astream_events`."""
        whole: Any = super()
        return whole.astream_events(input, config, **{**settings_of(config), **kwargs})
