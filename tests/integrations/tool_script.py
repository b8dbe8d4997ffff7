"""A scripted model that calls whatever tool it is offered, with arguments filled in by their schema.

It stands in for a model that calls tools: the calls are scripted, the way that they travel is real.
"""

import json
import re

from langchain_core.messages import HumanMessage

from adaptive_reasoner.testing import Reply, ScriptedChatModel

QUOTED = re.compile(r"'([^']+)'")


def tool_caller(probability=0.99, **fields):
    """A model that answers every human turn with one call where tools are offered, and else in words or JSON."""
    return ScriptedChatModel(
        [lambda call: _reply(call, probability)], cycle=True, logprobs_in_chunks=True, **fields
    )


def _reply(call, probability):
    last = call.messages[-1]
    schema = (call.kwargs.get("response_format") or {}).get("json_schema", {}).get("schema")
    if call.kwargs.get("tools") and isinstance(last, HumanMessage):
        return Reply(tool_calls=[_tool_call(call)], probability=probability)
    if schema or call.kwargs.get("response_format"):
        properties = schema or {"properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}}}
        return Reply(text=json.dumps(_filled(properties, call)), probability=probability)
    return Reply(text="That is what I found.", probability=probability)


def _tool_call(call):
    tools = [tool["function"] for tool in call.kwargs["tools"]]
    choice = call.kwargs.get("tool_choice")
    wanted = choice["function"]["name"] if isinstance(choice, dict) else None
    chosen = next((tool for tool in tools if tool["name"] == wanted), tools[0])
    return {"name": chosen["name"], "args": _filled(chosen["parameters"], call)}


def _filled(schema, call):
    quoted = QUOTED.findall(str(call.messages[-1].text))
    return {name: _value(kind, quoted) for name, kind in schema.get("properties", {}).items()}


def _value(kind, quoted):
    if kind.get("type") in ("integer", "number"):
        return 3
    return quoted[0] if quoted else "a cat"
