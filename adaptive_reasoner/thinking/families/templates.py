"""Open models behind vLLM, SGLang or llama.cpp: their chat templates take a switch, the servers pass it on.

Source: docs.vllm.ai, "Reasoning Outputs"; the models' own templates.
"""

from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from typing_extensions import override

from adaptive_reasoner.thinking.facts import in_template, is_named, package_of
from adaptive_reasoner.thinking.families.efforts import effort_ways
from adaptive_reasoner.thinking.two_calls import BUDGET, TwoCalls
from adaptive_reasoner.thinking.ways import ALWAYS_ON, ChatKwargs, Family, Ways

# One model, one mode: these never think, those always do.
_NEVER = r"qwen-?3.*(instruct|coder|embedding|reranker)"
_ALWAYS = r"qwq|qwen-?3.*thinking|deepseek-?r1|deepseek-reasoner"

# Their template leaves the newest answer's thought as it is, so that it can be continued; QwQ's and R1's take it out.
_CONTINUED = r"qwen-?3.*thinking"


@dataclass(frozen=True, slots=True)
class _Template:
    pattern: str
    key: str  # in chat_template_kwargs


# The first name that fits counts.
_TEMPLATES = (
    _Template(r"granite-?3\.[23]", "thinking"),
    _Template(r"deepseek.*v(3\.[12]|4)", "thinking"),
    _Template(r"glm-?(4\.[5-9]|5)", "enable_thinking"),
    _Template(r"gemma-?4", "enable_thinking"),
)


class _Served(Family):
    """What ChatOpenAI is pointed at; the model's name tells."""

    pattern: str

    @override
    def claims(self, model: BaseChatModel) -> bool:
        return package_of(model) == "langchain_openai" and is_named(model, self.pattern)


class SingleMode(_Served):
    """Models with one mode."""

    name = "open models of one mode"
    source = "docs.vllm.ai/en/latest/features/reasoning_outputs.html"
    pattern = f"{_NEVER}|{_ALWAYS}"

    @override
    def ways(self, model: BaseChatModel) -> Ways | None:
        if is_named(model, _CONTINUED):
            return Ways(off={}, on={}, budget=lambda tokens: {BUDGET: tokens}, can_stop=False)
        return ALWAYS_ON if is_named(model, _ALWAYS) else None

    @override
    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        return _in_two_calls(model, kwargs, {})


class Qwen3(_Served):
    """Qwen3 and its successors: `enable_thinking`, and a budget in two calls."""

    name = "Qwen3 (vLLM, SGLang, llama.cpp)"
    source = "github.com/QwenLM/Qwen3/blob/main/docs/source/getting_started/thinking_budget.md"
    pattern = r"qwen-?3"

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        on = in_template(model, enable_thinking=True)
        return Ways(
            off=in_template(model, enable_thinking=False),
            on=on,
            budget=lambda tokens: {**on, BUDGET: tokens},
        )

    @override
    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        return _in_two_calls(model, kwargs, in_template(model, enable_thinking=False)["extra_body"])


class GptOss(_Served):
    """gpt-oss: a level in the system message, which servers write there; it never stops."""

    name = "gpt-oss (vLLM, llama.cpp)"
    source = "docs.vllm.ai/en/latest/features/reasoning_outputs.html"
    pattern = r"gpt-oss"

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        levels = ["low", "medium", "high"]
        return effort_ways(levels, {level: {"reasoning_effort": level} for level in levels})


class Templates(_Served):
    """Granite 3.2 and 3.3, DeepSeek since V3.1, GLM since 4.5, Gemma 4."""

    name = "Granite, DeepSeek, GLM, Gemma 4 (vLLM, SGLang)"
    source = "docs.vllm.ai/en/latest/features/reasoning_outputs.html"
    pattern = "|".join(template.pattern for template in _TEMPLATES)

    @override
    def ways(self, model: BaseChatModel) -> Ways:
        on = in_template(model, **{self._key(model): True})
        return Ways(
            off=in_template(model, **{self._key(model): False}),
            on=on,
            budget=lambda tokens: {**on, BUDGET: tokens},
        )

    @override
    def settle(self, model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
        answering = in_template(model, **{self._key(model): False})["extra_body"]
        return _in_two_calls(model, kwargs, answering, hands_over=True)

    def _key(self, model: BaseChatModel) -> str:
        return next(template.key for template in _TEMPLATES if is_named(model, template.pattern))


def _in_two_calls(
    model: BaseChatModel, kwargs: ChatKwargs, answering: ChatKwargs, *, hands_over: bool = False
) -> tuple[BaseChatModel, ChatKwargs]:
    """The model that makes two calls, where `kwargs` hold a budget for them."""
    if BUDGET not in kwargs:
        return model, kwargs
    rest = {name: value for name, value in kwargs.items() if name != BUDGET}
    return TwoCalls.around(model, kwargs[BUDGET], answering, hands_over=hands_over), rest


def is_single_mode(model: BaseChatModel) -> bool:
    """True for models that never think."""
    return is_named(model, _NEVER)
