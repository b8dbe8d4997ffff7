"""The chat models behind the names, from the settings."""

import os
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.running import ServedModels
from adaptive_reasoner.server.settings import ModelsSection, PolicySection

EMBEDDED = "embedded"
_OPENAI_PREFIX = "openai:"
# Local servers take any key, and a key that was meant for one host must not travel to another.
_NO_KEY = "not-needed"


def models_of(section: ModelsSection, policy: PolicySection) -> ServedModels:
    """Build the models that the settings name.

    Raises:
        ConfigurationError: settings that do not go together, or a key that is not set.
    """
    fast = _model(section.fast, section.base_url, section.api_key_env, section, policy)
    if section.deep is None:
        return ServedModels(fast).resolved()
    url, key = section.deep_base_url or section.base_url, section.deep_api_key_env or section.api_key_env
    return ServedModels(fast, _model(section.deep, url, key, section, policy)).resolved()


def _model(
    name: str, base_url: str | None, key_env: str | None, section: ModelsSection, policy: PolicySection
) -> BaseChatModel | str:
    if name == EMBEDDED or (base_url is None and not name.startswith(_OPENAI_PREFIX)):
        return name
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    if base_url is not None:
        _check_url(base_url)
    return ChatOpenAI(
        model=name.removeprefix(_OPENAI_PREFIX),
        base_url=base_url,
        api_key=SecretStr(_key(base_url, key_env)),
        timeout=policy.model_timeout_seconds,
        max_retries=section.max_retries,
        stream_usage=True,
        use_responses_api=False,  # the Responses API loses the log probabilities in LangChain
    )


def _check_url(base_url: str) -> None:
    try:
        address = urlsplit(base_url)
        usable = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"models.base_url is {base_url!r}; give an address such as http://127.0.0.1:8000/v1."
        )


def _key(base_url: str | None, key_env: str | None) -> str:
    if base_url is not None and key_env is None:
        return _NO_KEY
    variable = key_env or "OPENAI_API_KEY"
    if not (key := os.environ.get(variable, "").strip()):
        raise ConfigurationError(f"{variable} is not set: export it, or name another by models.api_key_env.")
    return key
