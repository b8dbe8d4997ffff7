"""Structured output by the models' own means: what parses the JSON that a provider holds its answer to."""

from operator import itemgetter
from typing import Any, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.base import BaseOutputParser
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel

Structured = Runnable[LanguageModelInput, dict[str, Any] | BaseModel]


def parsed_by_schema(
    model: Runnable[LanguageModelInput, AIMessage], schema: dict[str, Any] | type, *, include_raw: bool
) -> Structured:
    """`model`, and after it the parser of what it writes.

    Args:
        model: bound to the schema.
        schema: a pydantic class, a TypedDict, or a JSON schema.
        include_raw: give {"raw", "parsed", "parsing_error"}.
    """
    parser = _parser(schema)
    if not include_raw:
        return cast("Structured", model | parser)
    assign: Any = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    nothing: Any = RunnablePassthrough.assign(parsed=lambda _: None)
    whole: Any = RunnableMap(raw=model) | assign.with_fallbacks([nothing], exception_key="parsing_error")
    return cast("Structured", whole)


def _parser(schema: dict[str, Any] | type) -> BaseOutputParser[Any]:
    if isinstance(schema, type) and is_basemodel_subclass(schema):
        return cast("BaseOutputParser[Any]", PydanticOutputParser(pydantic_object=schema))
    return JsonOutputParser()
