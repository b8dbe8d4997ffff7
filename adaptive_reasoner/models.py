"""From what a caller wrote to a chat model: an instance, "embedded", a local folder, or "provider:name"."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.errors import ConfigurationError, MissingExtraError

ModelSpec = BaseChatModel | str

# The options that may follow the three folders of "guided:".
_GUIDED_OPTIONS = {"alpha": float, "warmup_tokens": int, "vocabulary_map": str, "nucleus": float}


def resolve_model(spec: ModelSpec) -> BaseChatModel:
    """A chat model for `spec`.

    Args:
        spec: a chat model; "embedded" for the shipped one; "student:FOLDER" for a distilled one;
            "local:FOLDER" or "guided:TARGET,EXPERT,BASE[,alpha=1]" for Hugging Face folders of this machine; or a
            string as `init_chat_model` takes it.

    Raises:
        ConfigurationError: `spec` is neither, or its provider cannot be set up (a missing key, say).
        MissingExtraError: the string needs the extra `langchain` or `local`.
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
    kind, _, rest = spec.partition(":")
    if kind == "local":
        from adaptive_reasoner.decoding import LocalChatModel

        return LocalChatModel(model=rest)
    if kind == "student":
        return load_student(Path(rest))
    return _guided(rest) if kind == "guided" else _from_provider(spec)


def load_student(folder: Path) -> BaseChatModel:
    """A student of `adaptive-reasoner train distill`, which chooses the order of thought and answer by itself.

    Raises:
        ConfigurationError: the folder holds none.
        MissingExtraError: a student of another architecture than the shipped model's needs the extra `local`.
    """
    if (folder / "model.npz").is_file():
        from adaptive_reasoner.embedded.student import read_student

        return read_student(folder)
    from adaptive_reasoner.decoding import StudentChatModel

    return StudentChatModel(model=str(folder))


def _guided(text: str) -> BaseChatModel:
    """The model that "guided:..." names."""
    from adaptive_reasoner.decoding import GuidedChatModel

    parts = [part.strip() for part in text.split(",")]
    folders = [part for part in parts if "=" not in part]
    if len(folders) != 3 or not all(folders):
        raise ConfigurationError(
            f"guided:{text} must name three models, guided:TARGET,EXPERT,BASE, and then options such as alpha=0.75."
        )
    options = dict(_guided_option(part) for part in parts if "=" in part)
    return GuidedChatModel(model=folders[0], expert=folders[1], base=folders[2], **options)


def _guided_option(part: str) -> tuple[str, Any]:
    name, _, value = part.partition("=")
    try:
        return name, _GUIDED_OPTIONS[name](value)
    except (KeyError, ValueError) as error:
        raise ConfigurationError(
            f"{part!r} is no option of guided: models; these are known: {', '.join(_GUIDED_OPTIONS)}."
        ) from error


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
