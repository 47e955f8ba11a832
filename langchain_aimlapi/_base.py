"""What every model object of this package has: how to reach the service, and its life cycle.

An object holds nothing open: connections belong to the core's shared pools, claimed at the first
call. It works on after it was closed.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Self

import httpx
from langchain_core.load.serializable import Serializable
from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr
from typing_extensions import override

from aimlapi_core import (
    DEFAULT_TIMEOUT_S,
    AsyncClient,
    Client,
    ConfigurationError,
    Settings,
    __version__,
)
from aimlapi_core._adapters.lifecycle import ClientOwner, ClientPair

PROVIDER = "aimlapi"


USER_AGENT = f"langchain-aimlapi/{__version__}"
_CLIENTS = partial(Client, user_agent=USER_AGENT), partial(AsyncClient, user_agent=USER_AGENT)


@dataclass(frozen=True)
class KeySource:
    """A caller's function for the key, whose SecretStr the core would not know."""

    function: Callable[[], str | SecretStr]

    def __call__(self) -> Any:
        """The key as a plain string; None where the function has none, as the core takes it."""
        found = plain(self.function())
        if found is None or isinstance(found, str):
            return found
        if inspect.iscoroutine(found):
            found.close()  # else Python warns that nobody awaited it
        raise ConfigurationError("api_key must be a plain function that returns a str.")


def plain(secret: Any) -> Any:
    """What a SecretStr hides; anything else as it is."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret


def hidden(secret: Any) -> Any:
    """A string as a SecretStr, which no repr shows; anything else as it is."""
    return SecretStr(secret) if isinstance(secret, str) else secret


class Clients(ClientPair[Client, AsyncClient]):
    """The clients of a model object, and the settings of its last call."""

    _last: tuple[dict[str, Any], Settings] | None = None

    def settings_for(self, held: dict[str, Any]) -> Settings:
        """The settings that these attributes mean; those of the last call when they are the same.

        Raises ConfigurationError for what cannot work.
        """
        last = self._last  # read once: another thread's call may have other settings
        if last is None or last[0] != held:
            keyless = Settings(**{**held, "api_key": None})  # refuses in frames that hold no key
            headers = held["default_headers"]  # a caller's: it may change
            key = plain(held["api_key"])
            settings = keyless.with_key(KeySource(key) if callable(key) else key)
            last = {**held, "default_headers": dict(headers)}, settings
            self._last = last
        return last[1]


# How to reach the service: the arguments of `Settings`.
TRANSPORT = frozenset(
    "api_key base_url timeout max_retries max_concurrency default_headers http_client "
    "http_async_client".split()
)
_HANDED_IN = ("api_key", "http_client", "http_async_client", "on_usage")
# Stated in each class made with `Connected`: of several bases pydantic takes the last one's.
# Inputs are hidden in pydantic's messages: they would show the key.
CONFIG = ConfigDict(
    extra="forbid",
    hide_input_in_errors=True,
    strict=False,
    arbitrary_types_allowed=True,
    defer_build=True,  # bases are never built, and the rest at the first object, not at import
)


def _key_in_environment() -> SecretStr | None:
    found = _in_environment("AIMLAPI_API_KEY") or _in_environment("AIML_API_KEY")
    return SecretStr(found) if found else None


def _base_url_in_environment() -> str | None:
    # AIMLAPI_API_BASE is what the older langchain-aimlapi read: its users' requests, and their
    # key, must not go past the host that they chose.
    return _in_environment("AIMLAPI_BASE_URL") or _in_environment("AIMLAPI_API_BASE")


def _in_environment(name: str) -> str | None:
    """A variable's value; None for one that is blank, as an empty line of a .env file is."""
    return os.environ.get(name, "").strip() or None


def _read_timeout(value: Any) -> Any:
    """A time-out as `lc_attributes` wrote it, or (connect, read); anything else as it is."""
    if isinstance(value, tuple) and len(value) == 2:
        connect, read = value
        return httpx.Timeout(read, connect=connect)
    if not isinstance(value, dict):
        return value
    try:
        return httpx.Timeout(**value)
    except (TypeError, ValueError) as exc:
        raise ValueError("a dict needs 'connect', 'read', 'write' and 'pool'") from exc


Timeout = Annotated[float | httpx.Timeout | None, BeforeValidator(_read_timeout)]


class Connected(ClientOwner, Serializable):
    """A base for model objects: open nothing, close as often as you like, copy and pickle."""

    api_key: SecretStr | Callable[[], str | SecretStr] | None = Field(
        default_factory=_key_in_environment
    )
    base_url: str | None = Field(default_factory=_base_url_in_environment)
    timeout: Timeout = DEFAULT_TIMEOUT_S
    max_retries: int = 2
    max_concurrency: int | None = None
    default_headers: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)

    _clients: Clients = PrivateAttr(default_factory=lambda: Clients(*_CLIENTS))

    model_config = CONFIG

    def _settings(self, call: Mapping[str, Any]) -> Settings:
        """How to reach the service now: the object's attributes, and the call's over them."""
        held = {name: call[name] if name in call else getattr(self, name) for name in TRANSPORT}
        return self._clients.settings_for(held)

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

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, hidden(value) if name == "api_key" else value)

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        # Pydantic does not validate what it is told to change, so a key would stay a plain string.
        changes = dict(update or {})
        if "api_key" in changes:
            changes["api_key"] = hidden(changes["api_key"])
        return super().model_copy(update=changes, deep=deep)

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied._clients = copy(self._clients)
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # What callers handed in holds sockets, or state of theirs: it is shared, not copied.
        given = (getattr(self, name, None) for name in _HANDED_IN)
        shared = {id(one): one for one in given if one is not None}
        return super().__deepcopy__({**shared, **(memo or {})})
