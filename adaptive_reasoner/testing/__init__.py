"""For anyone's tests: scripted chat models with log probabilities, any chat model behind an HTTP endpoint.

    model = ScriptedChatModel([Reply(text="Answer: 9", probability=0.4), Reply(text="Answer: 10")])
    with serve_openai(model) as endpoint:
        chat = ChatOpenAI(base_url=endpoint.base_url, api_key="none", model="any")
        chat.invoke("What is 12 - 2?", logprobs=True, top_logprobs=5)
    model.calls[0].messages, endpoint.requests[0]

Nothing in the package imports this.
"""

from adaptive_reasoner.testing.defects import Defect
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
    "Defect",
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
