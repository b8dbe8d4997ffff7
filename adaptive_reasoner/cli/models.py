"""From the command line's words to the graph's models."""

import os

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.cli.options import ModelChoice
from adaptive_reasoner.cli.reach import check_reachable
from adaptive_reasoner.errors import ConfigurationError

EMBEDDED = "embedded"
OPENAI_KEY = "OPENAI_API_KEY"
_OPENAI_PREFIX = "openai:"
_FOLDERS = ("local:", "guided:", "student:")  # of this machine, whatever an endpoint serves
# Local servers take any key, and a key that was meant for one host must not travel to another.
_NO_KEY = "not-needed"

Models = tuple[BaseChatModel | str, BaseChatModel | str | None]


def choose_models(choice: ModelChoice) -> Models:
    """The fast model, and the deep one if there is one, as `build_reasoning_graph` takes them.

    Raises:
        ConfigurationError: options that do not go together, or a key that is not set.
        ModelError: nobody answers at `--base-url`.
    """
    if choice.base_url is None and choice.api_key_env is not None and not _names_openai(choice):
        raise ConfigurationError("--api-key-env needs --base-url, or a model such as openai:gpt-4.1-mini.")
    if choice.base_url is not None and choice.fast is None:
        raise ConfigurationError(
            "--base-url needs --fast NAME: the name of a model that the endpoint serves."
        )
    if choice.base_url is not None:
        check_reachable(choice.base_url)
    deep = _model(choice.deep, choice) if choice.deep else None
    return _model(choice.fast or EMBEDDED, choice), deep


def _names_openai(choice: ModelChoice) -> bool:
    return any(name is not None and name.startswith(_OPENAI_PREFIX) for name in (choice.fast, choice.deep))


def _model(name: str, choice: ModelChoice) -> BaseChatModel | str:
    if name == EMBEDDED or name.startswith(_FOLDERS):
        return name
    if choice.base_url is None and not name.startswith(_OPENAI_PREFIX):
        return name
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    return ChatOpenAI(
        model=name.removeprefix(_OPENAI_PREFIX),
        base_url=choice.base_url,
        api_key=SecretStr(_key(choice)),
        stream_usage=True,
        use_responses_api=False,  # the Responses API loses the log probabilities in LangChain
    )


def _key(choice: ModelChoice) -> str:
    if choice.base_url is not None and choice.api_key_env is None:
        return _NO_KEY
    variable = choice.api_key_env or OPENAI_KEY
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigurationError(
            f"{variable} is not set: export it, or name another variable by --api-key-env."
        )
    return key
