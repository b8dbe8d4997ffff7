"""LangChain's chat model of OpenAI's API without what a server's hot path does not need.

OpenAI's client walks a request along its types and builds objects of an answer, which LangChain turns into plain JSON
again, in a thread. Here a plain call is posted as it is, by the same client with its retries, and its JSON is read
at once. Everything else, streams among it, goes LangChain's way.
"""

# A chat model's generate methods are private in LangChain.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false

from typing import Any, cast

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

Json = dict[str, Any]

# What OpenAI's client takes beside the body, by its name in a request's options.
_BESIDE = {
    "extra_headers": "headers",
    "extra_query": "params",
    "extra_body": "extra_json",
    "timeout": "timeout",
}


class UpstreamChat(ChatOpenAI):
    """An OpenAI-compatible endpoint behind the server; in traces it has its parent's name."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """LangChain's name for the class."""
        return ChatOpenAI.lc_id()

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """The name of its runs."""
        return super().get_name(suffix, name=name or self.name or ChatOpenAI.__name__)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        payload = cast("Json", self._get_request_payload(messages, stop=stop, **kwargs))
        if "response_format" in payload or payload.get("stream") or self._use_responses_api(payload):
            return await super()._agenerate(messages, stop, run_manager, **kwargs)
        options: Any = {to: payload.pop(name) for name, to in _BESIDE.items() if name in payload}
        try:
            answer: Any = await self.root_async_client.post(
                "/chat/completions", cast_to=object, body=payload, options=options
            )
        except openai.APIError as error:  # told as LangChain tells it
            failed = self.model_copy(update={"async_client": _Failed(error)})
            return await ChatOpenAI._agenerate(failed, messages, stop, run_manager, **kwargs)
        if isinstance(answer, dict):  # as OpenAI's types have it, where LangChain would take ""
            cast("Json", answer).setdefault("system_fingerprint", None)
        return self._create_chat_result(answer)


class _Failed:
    """Stands for OpenAI's client after a call that failed."""

    def __init__(self, error: openai.APIError) -> None:
        self._error = error
        self.with_raw_response = self

    async def create(self, **_payload: Any) -> Any:
        """Fail as the call did."""
        raise self._error
