"""Structured output by the models' own means: a JSON schema that the provider holds the answer to."""

from operator import itemgetter
from typing import Any, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.base import BaseOutputParser
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel

from adaptive_reasoner.integrations.chat_model_settings import TakesSettings
from adaptive_reasoner.nodes.call_arguments import arguments_for

Structured = Runnable[LanguageModelInput, dict[str, Any] | BaseModel]


def held_to_schema(
    model: TakesSettings, schema: dict[str, Any] | type, spec: dict[str, Any], *, include_raw: bool
) -> Structured:
    """`model` bound to `schema`, and the parser of what it writes.

    Args:
        model: the adaptive model.
        schema: a pydantic class, a TypedDict, or a JSON schema.
        spec: {"method": …, "strict": …}.
        include_raw: give {"raw", "parsed", "parsing_error"}.

    Raises:
        ConfigurationError: an inner model has no such method.
    """
    structured = {**spec, "schema": convert_to_json_schema(schema)}
    for inner in (getattr(model, "fast", None), getattr(model, "deep", None)):
        if inner is not None:
            arguments_for(inner, {"structured_output": structured})
    bound, parser = model.bind(structured_output=structured), _parser(schema)
    if not include_raw:
        return cast("Structured", bound | parser)
    assign: Any = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser,
        parsing_error=lambda _: None,
    )
    nothing: Any = RunnablePassthrough.assign(parsed=lambda _: None)
    whole: Any = RunnableMap(raw=bound) | assign.with_fallbacks([nothing], exception_key="parsing_error")
    return cast("Structured", whole)


def _parser(schema: dict[str, Any] | type) -> BaseOutputParser[Any]:
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return PydanticOutputParser(pydantic_object=schema)
    return JsonOutputParser()
