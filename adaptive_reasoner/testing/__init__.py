"""For anyone's tests: scripted chat models with log probabilities, any chat model behind an HTTP endpoint.

Nothing in the package imports this.
"""

from adaptive_reasoner.testing.endpoint import Endpoint, serve_openai
from adaptive_reasoner.testing.errors import (
    EndpointError,
    ScriptError,
    UnconsumedStepsError,
    UnexpectedCallError,
)
from adaptive_reasoner.testing.logprobs import logprobs_of
from adaptive_reasoner.testing.replies import Reply
from adaptive_reasoner.testing.scripted import ScriptedCall, ScriptedChatModel

__all__ = [
    "Endpoint",
    "EndpointError",
    "Reply",
    "ScriptError",
    "ScriptedCall",
    "ScriptedChatModel",
    "UnconsumedStepsError",
    "UnexpectedCallError",
    "logprobs_of",
    "serve_openai",
]
