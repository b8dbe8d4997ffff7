"""An embedded model's answers made in batches, and given by a chat model as the embedded one gives them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from adaptive_reasoner.embedded.answer_text import VisibleToken, visible_bytes
from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel
from adaptive_reasoner.embedded.conversation import read_prompt
from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.openai_logprobs import choice_logprobs
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.runtime import Runtime, shipped_runtime
from adaptive_reasoner.embedded.tokenizer import special
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME

_SHARD = 256
_TOP_LOGPROBS = 20
_NAME = EMBEDDED_MODEL_NAME


class PreparedChatModel(BaseChatModel):
    """Gives the answer that was prepared for the newest question's text; asks the live model for any other."""

    model_name: str = _NAME

    _answers: Mapping[str, AIMessage] = PrivateAttr()
    _live: BaseChatModel = PrivateAttr()

    def __init__(self, answers: Mapping[str, AIMessage], live: BaseChatModel | None = None) -> None:
        super().__init__()
        self._answers = answers
        self._live = live or EmbeddedChatModel()

    @property
    def _llm_type(self) -> str:
        return "prepared-chat-model"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        asked = next(str(one.text) for one in reversed(messages) if isinstance(one, HumanMessage))
        if asked in self._answers:
            message = self._answers[asked].model_copy(deep=True)
        else:  # a request to refine, which names what was doubted
            asked_of = {"logprobs": True, "top_logprobs": _TOP_LOGPROBS, **kwargs}
            message = cast("AIMessage", self._live.invoke(messages, stop=stop, **asked_of))
        return ChatResult(generations=[ChatGeneration(message=message)])


def prepare(problems: Sequence[Problem], mode: Mode, runtime: Runtime | None = None) -> dict[str, AIMessage]:
    """The model's greedy answer to every question; the shipped one's where no runtime is given."""
    runtime = runtime or shipped_runtime()
    config = GenerationConfig(top_logprobs=_TOP_LOGPROBS)
    answers: dict[str, AIMessage] = {}
    for start in range(0, len(problems), _SHARD):
        shard = problems[start : start + _SHARD]
        prompts = [read_prompt([HumanMessage(one.question)], runtime.shape.context)[0] for one in shard]
        found = generate_batch(runtime, prompts, mode, config)
        answers |= {
            problem.question: _message(generation, len(prompt))
            for problem, prompt, generation in zip(shard, prompts, found, strict=True)
        }
    return answers


def _message(generation: Generation, prompt_tokens: int) -> AIMessage:
    visible = [VisibleToken(token.id, visible_bytes(token.id), token.scores) for token in generation.answer]
    count, thought = len(generation.tokens), sum(token.in_thought for token in generation.tokens)
    text = b"".join(token.raw for token in visible).decode("utf-8", "replace")
    reasoning = generation.thought.removesuffix("</think>").strip()
    thoughts = [token for token in generation.tokens if token.in_thought and token.id != special("</think>")]
    metadata: dict[str, Any] = {"model_name": _NAME, "logprobs": choice_logprobs(visible)}
    if thought:  # what the gate reads of a thought; alternatives are not read there
        scores = [one.scores for one in thoughts if one.scores is not None]
        metadata["reasoning_logprobs"] = {
            "content": [{"token": "", "logprob": one.logprob} for one in scores]
        }
    blocks = [{"type": "reasoning", "reasoning": reasoning}, {"type": "text", "text": text}]
    return AIMessage(
        [*blocks] if thought else text,
        response_metadata=metadata,
        usage_metadata={
            "input_tokens": prompt_tokens + 1,  # the mode token is read, too
            "output_tokens": count,
            "total_tokens": prompt_tokens + 1 + count,
            "output_token_details": {"reasoning": thought},
        },
    )
