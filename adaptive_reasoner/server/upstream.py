"""The chat models behind the names, from the settings."""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
from langchain_core.language_models import BaseChatModel

from adaptive_reasoner.errors import ConfigurationError
from adaptive_reasoner.server.questions import ServedModels
from adaptive_reasoner.server.settings import ModelsSection, PolicySection
from adaptive_reasoner.server.upstream_breaker import Breaker
from adaptive_reasoner.server.upstream_client import UpstreamClient
from adaptive_reasoner.server.upstream_endpoints import Endpoint
from adaptive_reasoner.server.upstream_settings import UpstreamSection

EMBEDDED = "embedded"
_OPENAI_PREFIX = "openai:"
# Local servers take any key, and a key that was meant for one host must not travel to another.
_NO_KEY = "not-needed"


@dataclass(frozen=True, slots=True)
class _Wished:
    """The settings that all models share."""

    section: ModelsSection
    policy: PolicySection
    upstream: UpstreamSection


def models_of(
    section: ModelsSection, policy: PolicySection, upstream: UpstreamSection | None = None
) -> ServedModels:
    """Build the models that the settings name.

    Raises:
        ConfigurationError: settings that do not go together, or a key that is not set.
    """
    wished = _Wished(section, policy, upstream or UpstreamSection())
    fast = _model(section.fast, section.base_url, section.api_key_env, wished)
    if section.deep is None:
        return ServedModels(fast).resolved()
    url, key = section.deep_base_url or section.base_url, section.deep_api_key_env or section.api_key_env
    return ServedModels(fast, _model(section.deep, url, key, wished)).resolved()


def _model(name: str, base_url: str | None, key_env: str | None, wished: _Wished) -> BaseChatModel | str:
    if name == EMBEDDED or (base_url is None and not name.startswith(_OPENAI_PREFIX)):
        return name
    from pydantic import SecretStr

    from adaptive_reasoner.server.upstream_chat import UpstreamChat

    if base_url is not None:
        check_url("models.base_url", base_url)
    return UpstreamChat(
        model=name.removeprefix(_OPENAI_PREFIX),
        base_url=base_url,
        api_key=SecretStr(_key(base_url, key_env)),
        timeout=_timeout(wished),
        max_retries=wished.section.max_retries,
        http_async_client=_client(wished),
        stream_usage=True,
        use_responses_api=False,  # the Responses API loses the log probabilities in LangChain
    )


def _timeout(wished: _Wished) -> httpx.Timeout:
    silent = wished.upstream.attempt_seconds or wished.policy.model_timeout_seconds
    return httpx.Timeout(silent, connect=wished.upstream.connect_seconds)


def _client(wished: _Wished) -> UpstreamClient:
    upstream = wished.upstream
    endpoints = [Endpoint("first", Breaker(upstream.breaker_failures, upstream.breaker_seconds))]
    if upstream.fallback_base_url is not None:
        check_url("upstream.fallback_base_url", upstream.fallback_base_url)
        second = Breaker(upstream.breaker_failures, upstream.breaker_seconds)
        key = _key(upstream.fallback_base_url, upstream.fallback_api_key_env)
        endpoints.append(
            Endpoint("fallback", second, upstream.fallback_base_url, key, upstream.fallback_model)
        )
    return UpstreamClient(endpoints, _timeout(wished))


def check_url(setting: str, base_url: str) -> None:
    """Refuse what is no endpoint's address: clouds keep credentials at link-local ones.

    Raises:
        ConfigurationError: it is no HTTP address, has a password in it, or is a link-local one.
    """
    try:
        address = urlsplit(base_url)
        usable = address.scheme in ("http", "https") and address.hostname and address.port != 0
        host = address.hostname or ""
    except ValueError:
        usable, host = False, ""
    if not usable or "@" in base_url:
        raise ConfigurationError(
            f"{setting} is {base_url.rpartition('@')[2]!r}; give an address such as http://127.0.0.1:8000/v1, "
            "without a name or password in it."
        )
    if _is_link_local(host):
        raise ConfigurationError(f"{setting} is {base_url!r}, a link-local address, where no model is.")


def _is_link_local(host: str) -> bool:
    if host.rstrip(".").lower() in ("metadata.google.internal", "metadata"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local


def _key(base_url: str | None, key_env: str | None) -> str:
    if base_url is not None and key_env is None:
        return _NO_KEY
    variable = key_env or "OPENAI_API_KEY"
    if not (key := os.environ.get(variable, "").strip()):
        raise ConfigurationError(f"{variable} is not set: export it, or name another by models.api_key_env.")
    return key
