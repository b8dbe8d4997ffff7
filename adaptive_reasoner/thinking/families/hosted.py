"""APIs with one switch of their own: DeepSeek, Mistral, and Qwen on Alibaba's DashScope."""

from langchain_core.language_models import BaseChatModel
from typing_extensions import override

from adaptive_reasoner.thinking.facts import in_body, is_named, is_reasoning_model, package_of
from adaptive_reasoner.thinking.ways import ALWAYS_ON, ChatKwargs, Family, Ways


class DeepSeek(Family):
    """DeepSeek's own API in ChatDeepSeek. Source: api-docs.deepseek.com/guides/thinking_mode."""

    name = "DeepSeek"
    source = "api-docs.deepseek.com/guides/thinking_mode"
    hides_logprobs = True

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return package_of(model) == "langchain_deepseek"

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        if is_named(model, r"reasoner|-r1"):
            return ALWAYS_ON
        on = in_body(model, thinking={"type": "enabled"})
        return Ways(
            off=in_body(model, thinking={"type": "disabled"}),
            on=on,
            levels={level: {**on, "reasoning_effort": level} for level in ("low", "high", "max")},
        )


class Mistral(Family):
    """Mistral's own API in ChatMistralAI. Source: docs.mistral.ai, "Reasoning"."""

    name = "Mistral"
    source = "docs.mistral.ai/capabilities/reasoning"

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return package_of(model) == "langchain_mistralai"

    @override
    def ways(self, model: BaseChatModel) -> Ways | None:
        if is_named(model, r"magistral"):
            return ALWAYS_ON
        if not is_reasoning_model(model) and not is_named(model, r"small-4|medium-3[.-]5"):
            return None
        off, on = {"reasoning_effort": "none"}, {"reasoning_effort": "high"}
        return Ways(off=off, on=on, levels={"none": off, "high": on})


class DashScope(Family):
    """Qwen on DashScope in ChatOpenAI, known by its address. Source: Alibaba's "Deep thinking" page."""

    name = "DashScope"
    source = "www.alibabacloud.com/help/en/model-studio/deep-thinking"

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return "dashscope" in str(getattr(model, "openai_api_base", None) or "")

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        def budget(tokens: int) -> ChatKwargs:
            return in_body(model, enable_thinking=True, thinking_budget=tokens)

        return Ways(
            off=in_body(model, enable_thinking=False),
            on=in_body(model, enable_thinking=True),
            budget=budget,
        )
