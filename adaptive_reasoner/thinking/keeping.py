"""Keeps the thoughts that OpenAI-compatible servers send beside the answer, which ChatOpenAI leaves out.

DeepSeek's package does the same for its own API; vLLM, SGLang and llama.cpp have no package of their own.
"""

from functools import cache
from typing import Any, cast

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.thinking.facts import package_of

_NAMES = ("reasoning", "reasoning_content")
_KEPT_AS = "reasoning_content"


def keep_thoughts(model: BaseChatModel) -> BaseChatModel:
    """A copy of ChatOpenAI at an address of its own that keeps thoughts; any other model as it is.

    They come as `additional_kwargs["reasoning_content"]`, whole or in pieces as they are streamed, where
    `thoughts_of` finds them. OpenAI's own API never sends any.
    """
    if package_of(model) != "langchain_openai" or not getattr(model, "openai_api_base", None):
        return model
    copy = model.model_copy()
    object.__setattr__(copy, "__class__", _keeping(type(model)))
    return copy


@cache
def _keeping(kind: type[Any]) -> type[Any]:
    """A subclass of ChatOpenAI's `kind`, under the same name, so that traces show what they always did."""

    def _create_chat_result(self: Any, response: Any, generation_info: Any = None) -> Any:
        result = kind._create_chat_result(self, response, generation_info)  # noqa: SLF001
        for generation, choice in zip(result.generations, _choices(_fields(response)), strict=False):
            _keep(generation.message, choice.get("message"))
        return result

    def _convert_chunk_to_generation_chunk(self: Any, chunk: Any, kind_of_chunk: Any, info: Any) -> Any:
        converted = kind._convert_chunk_to_generation_chunk(self, chunk, kind_of_chunk, info)  # noqa: SLF001
        if converted is not None:
            for choice in _choices(chunk)[:1]:
                _keep(converted.message, choice.get("delta"))
        return converted

    methods = {
        "_create_chat_result": _create_chat_result,
        "_convert_chunk_to_generation_chunk": _convert_chunk_to_generation_chunk,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
    }
    return type(kind.__name__, (kind,), methods)


def _fields(response: Any) -> dict[str, Any]:
    if isinstance(response, dict):
        return cast("dict[str, Any]", response)
    return response.model_dump(warnings=False)


def _choices(fields: Any) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", fields.get("choices") or [])


def _keep(message: Any, fields: dict[str, Any] | None) -> None:
    for name in _NAMES:
        thought = (fields or {}).get(name)
        if isinstance(thought, str) and thought:
            message.additional_kwargs[_KEPT_AS] = thought
            return
