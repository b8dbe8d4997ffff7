"""The same answer as LangChain messages, with log probabilities where each integration leaves them."""

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from provider_shapes import TEXT, entries, gemini

_OPENAI = {"content": entries(), "refusal": None}
_BLOCKS: list[Any] = [
    {"type": "reasoning", "summary": []},
    {"type": "text", "text": TEXT, "logprobs": entries()},
]

MESSAGES: dict[str, Any] = {
    "langchain-openai": AIMessage(TEXT, response_metadata={"logprobs": _OPENAI}),
    "langchain-openai, streamed": [
        AIMessageChunk(one["token"], response_metadata={"logprobs": {"content": [one]}}) for one in entries()
    ],
    "langchain-ollama": AIMessage(TEXT, response_metadata={"logprobs": entries()}),
    "langchain-google": AIMessage(TEXT, response_metadata={"logprobs_result": entries()}),
    "langchain-google, its own object": AIMessage(
        TEXT, response_metadata={"logprobs_result": gemini()["candidates"][0]["logprobsResult"]}
    ),
    "langchain-aws": AIMessage(
        TEXT, response_metadata={"additionalModelResponseFields": {"logprobs": _OPENAI}}
    ),
    "Responses blocks": AIMessage(_BLOCKS),
}
