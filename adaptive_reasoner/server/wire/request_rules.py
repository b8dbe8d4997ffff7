"""What the API's own document says of requests beyond single fields: which go together, and examples that are answered.

The checks themselves are in `call_options` and `asking`; tools that make requests from the document need to know them.
"""

from typing import Any

Json = dict[str, Any]

_QUESTION: Json = {
    "role": "user",
    "content": "Tom has 7 pens. He buys 5 more. How many pens does Tom have now?",
}
_PARAMETERS: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_TOOL: Json = {"type": "function", "function": {"name": "weather", "parameters": _PARAMETERS}}


def _needs(field: str, other: str, wanted: Json, free: Json | None = None) -> Json:
    """Where `field` is there, `other` must be `wanted`; with null, or `free`, nothing is."""
    free_of_it = [{"properties": {field: one}} for one in ({"type": "null"}, free) if one]
    return {field: {"anyOf": [*free_of_it, {"properties": {other: wanted}, "required": [other]}]}}


RULES: Json = {
    **_needs("top_logprobs", "logprobs", {"const": True}),
    **_needs("stream_options", "stream", {"const": True}),
    **_needs("tool_choice", "tools", {"type": "array", "minItems": 1}, {"const": "none"}),
    "adaptive_reasoning": {
        "anyOf": [
            {"properties": {"adaptive_reasoning": {"type": "null"}}},
            {"properties": {"adaptive_reasoning": {"properties": {"thread_id": {"type": "null"}}}}},
            {"properties": {"n": {"enum": [1, None]}}},
        ]
    },
}
"""JSON Schema's `dependentSchemas` of a chat completion's request."""

EXAMPLES: tuple[Json, ...] = (
    {"model": "adaptive", "messages": [_QUESTION]},
    {
        "model": "adaptive",
        "messages": [{"role": "system", "content": "Answer briefly."}, _QUESTION],
        "stream": True,
        "stream_options": {"include_usage": True},
        "adaptive_reasoning": {"events": True, "drafts": True},
    },
    {"model": "fast", "messages": [_QUESTION], "logprobs": True, "top_logprobs": 3, "seed": 7, "n": 2},
    {"model": "adaptive", "messages": [_QUESTION], "tools": [_TOOL], "tool_choice": "auto"},
    {
        "model": "deep",
        "messages": [_QUESTION],
        "adaptive_reasoning": {"thread_id": "monday", "budget": {"max_model_calls": 4}},
    },
)
"""Requests that are answered."""
