"""Base class of the model objects: connection settings, clients, serialization.

Connections belong to the core's shared pools; an object claims them at its first call.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Self, TypeAlias

import httpx
from langchain_core.load.serializable import Serializable
from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr, field_serializer
from typing_extensions import override

from aimlapi_core import (
    DEFAULT_TIMEOUT_S,
    AsyncClient,
    Client,
    ConfigurationError,
    Settings,
    __version__,
)
from aimlapi_core._adapters import package_conflict
from aimlapi_core._adapters.lifecycle import CONNECTION_SETTINGS, ClientOwner, ClientPair
from aimlapi_core._adapters.pickling import check_members_picklable
from aimlapi_core._values.traceback_locals import clear_locals, clears_locals
from aimlapi_core.settings import check_picklable
from langchain_aimlapi._signature import ConstructorSignature

package_conflict.check()  # as in `errors`

PROVIDER = "aimlapi"
USER_AGENT = f"langchain-aimlapi/{__version__}"
_CLIENTS = partial(Client, user_agent=USER_AGENT), partial(AsyncClient, user_agent=USER_AGENT)


# An async function works in async calls.
KeyFunction: TypeAlias = Callable[[], str | SecretStr | Awaitable[str | SecretStr]]


@dataclass(frozen=True)
class ApiKeyProvider:
    """A caller's function for the key, which may return a SecretStr: the core takes strings."""

    function: KeyFunction

    def __call__(self) -> Any:
        """The key as a plain string, or the None that the function returned; or to be awaited."""
        key = self.function()
        return _AwaitedKey(key) if inspect.isawaitable(key) else _plain_key(key)


@dataclass(frozen=True)
class _AwaitedKey:
    """The key of an async function. `close()` it if it is not awaited."""

    given: Any

    def __await__(self) -> Generator[Any, None, Any]:
        return _plain_key((yield from self.given.__await__()))

    def close(self) -> None:
        if hasattr(self.given, "close"):
            self.given.close()


def _plain_key(given: Any) -> str | None:
    key = reveal(given)
    if key is None or isinstance(key, str):
        return key
    raise ConfigurationError("api_key must be a function that returns a str.")


def reveal(secret: Any) -> Any:
    """The string in a SecretStr; any other value unchanged."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret


def as_secret(secret: Any) -> Any:
    """A string as a SecretStr, which no repr shows; any other value unchanged."""
    return SecretStr(secret) if isinstance(secret, str) else secret


def _core_key(key: Any) -> Any:
    key = reveal(key)
    return ApiKeyProvider(key) if callable(key) else key


# Set in each subclass of `AIMLAPIBase`: of several bases pydantic takes the last one's.
# Inputs are hidden in pydantic's messages: they would show the key.
MODEL_CONFIG = ConfigDict(
    extra="forbid",
    hide_input_in_errors=True,
    strict=False,
    arbitrary_types_allowed=True,
    defer_build=True,  # bases are never built, and the rest at the first object, not at import
)


def _api_key_from_env() -> SecretStr | None:
    key = _from_env("AIMLAPI_API_KEY") or _from_env("AIML_API_KEY")
    return SecretStr(key) if key else None


def _base_url_from_env() -> str | None:
    # AIMLAPI_API_BASE is what the older langchain-aimlapi read: its users' requests, and their
    # key, must not go past the host that they chose.
    return _from_env("AIMLAPI_BASE_URL") or _from_env("AIMLAPI_API_BASE")


def _from_env(name: str) -> str | None:
    """A variable's value; None for a blank one, such as an empty line of a .env file."""
    return os.environ.get(name, "").strip() or None


def _parse_timeout(value: Any) -> Any:
    """An httpx.Timeout from its dict or from (connect, read); any other value unchanged."""
    if isinstance(value, tuple) and len(value) == 2:
        connect, read = value
        return httpx.Timeout(read, connect=connect)
    if type(value).__module__.startswith("httpx2"):
        value = value.as_dict()
    if not isinstance(value, dict):
        return value
    try:
        return httpx.Timeout(**value)
    except (TypeError, ValueError) as exc:
        raise ValueError("a dict needs 'connect', 'read', 'write' and 'pool'") from exc


Timeout = Annotated[float | httpx.Timeout | None, BeforeValidator(_parse_timeout)]


class AIMLAPIBase(ClientOwner, Serializable):
    """Connection settings of a model object; it can be copied and pickled at any time."""

    # LangChain's own may hold locks.
    _SHARED_BY_COPIES: ClassVar = (
        *("api_key", "http_client", "http_async_client", "on_usage"),
        *("cache", "callbacks", "rate_limiter", "custom_get_token_ids"),
    )

    api_key: SecretStr | KeyFunction | None = Field(default_factory=_api_key_from_env)
    base_url: str | None = Field(default_factory=_base_url_from_env)
    timeout: Timeout = DEFAULT_TIMEOUT_S
    max_retries: int = 2
    max_concurrency: int | None = None
    default_headers: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)

    _clients: ClientPair[Client, AsyncClient] = PrivateAttr(
        default_factory=lambda: ClientPair(*_CLIENTS)
    )

    model_config = MODEL_CONFIG

    # The TypedDict of the constructor's arguments.
    _arguments: ClassVar[type[Any] | None] = None

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._sign()

    @classmethod
    @override
    def model_rebuild(cls, *, _parent_namespace_depth: int = 2, **kwargs: Any) -> bool | None:
        # One frame more between pydantic and the caller, in whose namespace it looks up names.
        depth = _parent_namespace_depth + 1
        done = super().model_rebuild(_parent_namespace_depth=depth, **kwargs)
        cls._sign()
        return done

    @classmethod
    def _sign(cls) -> None:
        """Replace the signature that pydantic sets at each build."""
        if cls._arguments is not None:
            cls.__signature__ = ConstructorSignature(cls._arguments)  # type: ignore[assignment]

    def _settings(self, call: Mapping[str, Any]) -> Settings:
        """The settings of one call: its own arguments, else the object's attributes."""
        try:
            return self._clients.settings_for(self._connection(call), _core_key)
        except BaseException as error:
            clear_locals(error)
            raise

    def _connection(self, call: Mapping[str, Any]) -> dict[str, Any]:
        own = self.__dict__  # faster than attributes
        return {name: call.get(name, own[name]) for name in CONNECTION_SETTINGS}

    def __getstate__(self) -> dict[Any, Any]:
        check_picklable(self.http_client, self.http_async_client)
        check_members_picklable(type(self).__name__, self.__dict__)
        return super().__getstate__()

    @field_serializer("api_key", when_used="json")
    def _key_as_asterisks(self, key: Any) -> str | None:
        """As pydantic writes a SecretStr; a function too, which has no form in JSON."""
        return None if key is None else str(SecretStr("-"))

    @field_serializer("timeout", when_used="json")
    def _timeout_as_data(self, timeout: Any) -> Any:
        return timeout.as_dict() if isinstance(timeout, httpx.Timeout) else timeout

    @classmethod
    @override
    def is_lc_serializable(cls) -> bool:
        return True

    @property
    @override
    def lc_secrets(self) -> dict[str, str]:
        return {"api_key": "AIMLAPI_API_KEY"}

    @property
    @override
    def lc_attributes(self) -> dict[str, Any]:
        # An httpx.Timeout has no JSON form of its own, and would be dumped as not implemented.
        timeout = self.timeout
        return {"timeout": timeout.as_dict()} if isinstance(timeout, httpx.Timeout) else {}

    def __repr_args__(self) -> Any:
        """As pydantic's, but without a key of whatever type."""
        for name, value in super().__repr_args__():
            is_fit = name != "api_key" or value is None or callable(value)
            yield name, value if is_fit else SecretStr("-")

    @clears_locals
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, as_secret(value) if name == "api_key" else value)

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        # Pydantic does not validate updates, so a key would stay a plain string.
        changes = dict(update or {})
        if "api_key" in changes:
            changes["api_key"] = as_secret(changes["api_key"])
        return super().model_copy(update=changes, deep=deep)
