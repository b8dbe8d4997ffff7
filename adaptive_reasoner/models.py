"""From what a caller wrote to a chat model: an instance, "embedded", or "provider:name"."""

from importlib.util import find_spec

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

ModelSpec = BaseChatModel | str


def resolve_model(spec: ModelSpec) -> BaseChatModel:
    """A chat model for `spec`.

    Args:
        spec: a chat model; "embedded" for the shipped one; or a string as `init_chat_model` takes it.

    Raises:
        ConfigurationError: `spec` is neither, or its provider cannot be set up (a missing key, say).
        MissingExtraError: the string needs the `langchain` extra.
    """
    if isinstance(spec, BaseChatModel):
        return spec
    if not isinstance(spec, str) or not spec.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(
            f'{spec!r} is no model: give a LangChain chat model, "embedded" or "provider:name".'
        )
    if spec == "embedded":
        from adaptive_reasoner.embedded.chat_model import EmbeddedChatModel

        return EmbeddedChatModel()
    return _from_provider(spec)


def _from_provider(spec: str) -> BaseChatModel:
    if find_spec("langchain") is None:
        raise MissingExtraError(
            f'Model strings like {spec!r} need the extra "langchain": pip install "adaptive-reasoner[langchain]".'
        )
    from langchain.chat_models import init_chat_model
    from openai import OpenAIError

    try:
        return init_chat_model(spec)
    except (ValueError, ImportError, OpenAIError) as error:
        raise ConfigurationError(f"The model {spec!r} cannot be set up: {error}") from error
