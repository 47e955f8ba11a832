"""The core's clients of one model object: made when needed, never copied nor pickled."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from aimlapi_core import AsyncClient, Client, ConfigurationError, Settings, __version__

USER_AGENT = f"langchain-aimlapi/{__version__}"


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


class Clients:
    """One sync and one async client for the settings in force; other settings get new ones.

    A copy or an unpickled object starts empty: sockets stay with the object that opened them.
    """

    def __init__(self) -> None:
        self._sync: Client | None = None
        self._async: AsyncClient | None = None
        self._last: tuple[dict[str, Any], Settings] | None = None

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

    def __reduce__(self) -> tuple[type[Clients], tuple[()]]:
        return Clients, ()

    def sync_for(self, settings: Settings) -> Client:
        """The client for sync calls."""
        client = self._sync
        if client is None or (client.settings is not settings and client.settings != settings):
            client = self._sync = Client(settings, user_agent=USER_AGENT)
        return client

    def async_for(self, settings: Settings) -> AsyncClient:
        """The client for async calls, from any event loop."""
        client = self._async
        if client is None or (client.settings is not settings and client.settings != settings):
            client = self._async = AsyncClient(settings, user_agent=USER_AGENT)
        return client

    def close(self) -> None:
        """Give up the sync client's claim on its connections."""
        if self._sync is not None:
            self._sync.close()

    async def aclose(self) -> None:
        """Give up both clients' claims."""
        self.close()
        if self._async is not None:
            await self._async.aclose()
