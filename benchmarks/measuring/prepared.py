"""The embedded model's answers made in batches, and given by a chat model as the embedded one gives them."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from adaptive_reasoner.embedded.answer_text import VisibleToken, visible_bytes
from adaptive_reasoner.embedded.batch import Generation, generate_batch
from adaptive_reasoner.embedded.conversation import read_prompt
from adaptive_reasoner.embedded.dialogue import Mode
from adaptive_reasoner.embedded.generation import GenerationConfig
from adaptive_reasoner.embedded.openai_logprobs import choice_logprobs
from adaptive_reasoner.embedded.problems import Problem
from adaptive_reasoner.embedded.runtime import shipped_runtime
from adaptive_reasoner.thinking.switch import EMBEDDED_MODEL_NAME

_SHARD = 256
_TOP_LOGPROBS = 20
_NAME = EMBEDDED_MODEL_NAME


class PreparedChatModel(BaseChatModel):
    """Gives the answer that was prepared for the newest question's text."""

    model_name: str = _NAME

    _answers: Mapping[str, AIMessage] = PrivateAttr()

    def __init__(self, answers: Mapping[str, AIMessage]) -> None:
        super().__init__()
        self._answers = answers

    @property
    def _llm_type(self) -> str:
        return "prepared-chat-model"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - what was prepared is given whole
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_kwargs: Any,
    ) -> ChatResult:
        asked = next(str(one.text) for one in reversed(messages) if isinstance(one, HumanMessage))
        return ChatResult(generations=[ChatGeneration(message=self._answers[asked].model_copy(deep=True))])


def prepare(problems: Sequence[Problem], mode: Mode) -> dict[str, AIMessage]:
    """The embedded model's greedy answer to every question."""
    runtime = shipped_runtime()
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
    return AIMessage(
        b"".join(token.raw for token in visible).decode("utf-8", "replace"),
        response_metadata={"model_name": _NAME, "logprobs": choice_logprobs(visible)},
        usage_metadata={
            "input_tokens": prompt_tokens,
            "output_tokens": count,
            "total_tokens": prompt_tokens + count,
            "output_token_details": {"reasoning": thought},
        },
    )
