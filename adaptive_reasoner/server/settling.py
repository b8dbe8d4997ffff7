"""The answer in what a run of the graph gave."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessageChunk, BaseMessage

from adaptive_reasoner.errors import InvalidInputError, RefusalError
from adaptive_reasoner.integrations.chat_model_answer import answer_of
from adaptive_reasoner.server.errors import InvalidRequestError
from adaptive_reasoner.server.questions import Answer, Json
from adaptive_reasoner.state import MODE_OF_NODE, ReasoningReport
from adaptive_reasoner.thinking import sent_thoughts

# What the loop says before a model's own words.
_DECLINED = "The model declined to answer: "


def settled(output: Json, given: Sequence[BaseMessage], *, keeps_logprobs: bool) -> Answer:
    """The answer in what a finished run gave.

    Raises:
        AdaptiveReasonerError: no call gave one.
    """
    report = cast("ReasoningReport", output["reasoning"])
    last = report["rounds"][-1]
    if report["accepted_round"] < 0 and last.get("error") == InvalidInputError.code:
        raise InvalidRequestError(last["signal"]["reason"] or "The model cannot read this.", param="messages")
    message = answer_of(output, given, keeps_logprobs=keeps_logprobs)
    if report["accepted_round"] < 0 and last.get("error") == RefusalError.code:
        said = (last["signal"]["reason"] or "").removeprefix(_DECLINED).removesuffix(".")
        kept = {**message.additional_kwargs, "refusal": said}
        message = message.model_copy(update={"content": "", "additional_kwargs": kept})
    return Answer(message, report)


def draft_of(message: Any, metadata: Mapping[str, Any]) -> Json | None:
    """What a piece of a model's stream adds to its thought and to its draft; None where it is no answer's."""
    if metadata.get("langgraph_node") not in MODE_OF_NODE or not isinstance(message, AIMessageChunk):
        return None
    thought = "".join(block.get("reasoning", "") for block in sent_thoughts(message))
    text = str(message.text)
    return {"thought": thought, "text": text} if thought or text else None
