"""The one table: which family answers for a model, in the order in which they are asked."""

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.thinking.families.anthropic import Anthropic
from adaptive_reasoner.thinking.families.efforts import OpenAI, Standard
from adaptive_reasoner.thinking.families.embedded import InProcess, Served
from adaptive_reasoner.thinking.families.gemini import Gemini
from adaptive_reasoner.thinking.families.hosted import DashScope, DeepSeek, Mistral
from adaptive_reasoner.thinking.families.ollama import Ollama
from adaptive_reasoner.thinking.families.templates import GptOss, Qwen3, SingleMode, Templates
from adaptive_reasoner.thinking.ways import ChatKwargs, Family, Ways

FAMILIES: tuple[Family, ...] = (
    InProcess(),
    Served(),
    Anthropic(),
    Gemini(),
    DeepSeek(),
    Mistral(),
    Ollama(),
    DashScope(),
    SingleMode(),
    Qwen3(),
    GptOss(),
    Templates(),
    OpenAI(),
    Standard(),
)


def family_of(model: BaseChatModel) -> Family | None:
    """The first family that claims `model`; None: it is unknown."""
    return next((family for family in FAMILIES if family.claims(model)), None)


def ways_of(model: BaseChatModel) -> Ways | None:
    """How thinking is switched in `model`; None where no switch is known, so that a prompt must ask for it."""
    family = family_of(model)
    return family.ways(model) if family else None


def settle_call(model: BaseChatModel, kwargs: ChatKwargs) -> tuple[BaseChatModel, ChatKwargs]:
    """The model and the arguments of one call as they can be sent.

    A provider's limits hold between arguments: a thinking budget lies below `max_tokens`, a setting of the model's
    owner must not win over the call's, a budget in two calls takes a model that makes two. So this comes last.

    Args:
        model: who is called.
        kwargs: all call-time arguments, `thinking_kwargs`' among them.
    """
    family = family_of(model)
    return family.settle(model, kwargs) if family else (model, kwargs)
