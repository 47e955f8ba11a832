"""What every class of this package knows about its way to the service: fields, clients, state.

Nothing is opened before the first call. Copies and pickles carry settings and key, never
sockets; dicts, JSON and reprs never carry the key.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import partial
from typing import Any, Self

from llama_index.core.schema import BaseComponent
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, SkipValidation, field_serializer

from aimlapi_core import (
    DEFAULT_TIMEOUT_S,
    AsyncClient,
    CatalogModel,
    Client,
    ConfigurationError,
    Settings,
    __version__,
)
from aimlapi_core._adapters.lifecycle import ClientOwner, ClientPair

USER_AGENT = f"llama-index-aimlapi/{__version__}"
_CLIENTS = partial(Client, user_agent=USER_AGENT), partial(AsyncClient, user_agent=USER_AGENT)

# Handed in by the caller and shared by copies: they hold locks and sockets.
_SHARED = (
    "api_key",
    "callback_manager",
    "rate_limiter",
    "embeddings_cache",
    "http_client",
    "http_async_client",
)
# LlamaIndex's own, which a worker process does without when they cannot travel.
_LEFT_BEHIND = ("callback_manager", "rate_limiter", "embeddings_cache")
# What a repr always shows, and what it never does: the base classes fill it in.
_SHOWN = ("model", "model_name", "embed_batch_size")
_UNSHOWN = ("callback_manager", "messages_to_prompt", "completion_to_prompt")


class Connected(ClientOwner, BaseComponent):
    """A component that talks to the service. `close()` or `aclose()` when it is no longer used.

    Closing gives up the claim on the shared connections; a later call claims them again.
    """

    # A value of the wrong type may be a secret: pydantic would print it.
    model_config = ConfigDict(hide_input_in_errors=True)

    api_key: str | Callable[[], str] | None = Field(
        default=None,
        exclude=True,
        repr=False,
        description="Key, or a function that gives one; None reads AIMLAPI_API_KEY at each call.",
    )
    base_url: str | None = Field(default=None, description="None reads AIMLAPI_BASE_URL.")
    timeout: Any = Field(
        default=DEFAULT_TIMEOUT_S, description="Seconds, or an httpx.Timeout; None means none."
    )
    max_retries: int = Field(default=2, description="At most that many repetitions of a call.")
    max_concurrency: SkipValidation[int | None] = Field(  # the core's own check refuses True
        default=None, description="Requests of the account under way at once in this process."
    )
    default_headers: dict[str, str] = Field(
        default_factory=dict, exclude=True, repr=False, description="Sent with every request."
    )
    http_client: Any = Field(default=None, exclude=True, repr=False)
    http_async_client: Any = Field(default=None, exclude=True, repr=False)

    _clients: ClientPair[Client, AsyncClient] = PrivateAttr(
        default_factory=lambda: ClientPair(*_CLIENTS)
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """The model and what was set, for a notebook: the rest is the same in every object."""
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name not in fields or name in _UNSHOWN:
                continue
            default = fields[name].get_default(call_default_factory=True)
            if name in _SHOWN or value != default:
                yield name, value

    @field_serializer("timeout")
    def _timeout_as_data(self, timeout: Any) -> Any:
        return timeout.as_dict() if hasattr(timeout, "as_dict") else timeout

    def _settings(self) -> Settings:
        """The fields as the core takes them. Raises ConfigurationError for what cannot work."""
        return Settings(
            api_key=self.api_key,
            base_url=self.base_url,
            timeout=self.timeout,
            max_retries=self.max_retries,
            max_concurrency=self.max_concurrency,
            default_headers=self.default_headers,
            http_client=self.http_client,
            http_async_client=self.http_async_client,
        )

    def _sync_client(self) -> Client:
        return self._clients.sync_for(self._settings())

    def _loop_client(self) -> AsyncClient:
        return self._clients.async_for(self._settings())

    def list_models(self, model: str | None = None) -> tuple[CatalogModel, ...]:
        """The service's catalogue with live prices; or the rows of one model, by id or alias."""
        return self._sync_client().list_models(model)

    async def alist_models(self, model: str | None = None) -> tuple[CatalogModel, ...]:
        """`list_models`, asynchronously."""
        return await self._loop_client().list_models(model)

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied._forget()
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        shared = [getattr(self, name, None) for name in _SHARED]
        memo.update((id(value), value) for value in shared)  # taken as they are
        copied = super().__deepcopy__(memo)
        copied._forget()
        return copied

    def _forget(self) -> None:
        """Drop what belongs to the original alone; called on a new copy."""
        self._clients = copy(self._clients)

    def __getstate__(self) -> dict[str, Any]:
        # BaseComponent's own deletes what cannot be pickled from this very object, clients
        # included; here such a thing is left out of the state, or raises.
        if self.http_client is not None or self.http_async_client is not None:
            raise TypeError(
                "http_client and http_async_client hold sockets, which cannot be pickled: leave "
                "them out, or build the object where it is used."
            )
        fields = {
            name: value
            for name, value in self.__dict__.items()
            if name not in _LEFT_BEHIND or _can_travel(value)
        }
        return {
            "__dict__": fields,
            "__pydantic_extra__": None,
            "__pydantic_fields_set__": set(fields),
            "__pydantic_private__": {},
        }


def plain_key(key: str | SecretStr | Callable[[], str] | None) -> str | Callable[[], str] | None:
    """A key as the field keeps it. A SecretStr cannot be written to JSON, so it is opened.

    Raises ConfigurationError for any other type, without the value.
    """
    if not (key is None or isinstance(key, (str, SecretStr)) or callable(key)):
        raise ConfigurationError(
            f"api_key is a string, a SecretStr or a function that gives a string, not of type "
            f"{type(key).__name__}."
        )
    return key.get_secret_value() if isinstance(key, SecretStr) else key


def plain_timeout(timeout: Any) -> Any:
    """A time-out as the field keeps it: the dict form that `to_dict` wrote becomes one again.

    Raises ConfigurationError for any other dict.
    """
    if not isinstance(timeout, Mapping):
        return timeout
    import httpx  # a value's type alone; what talks to the network is in the core

    try:
        return httpx.Timeout(**timeout)
    except (TypeError, ValueError) as exc:
        raise ConfigurationError(
            "timeout as a dict has the four seconds of an httpx.Timeout: connect, read, write, "
            f"pool; not {dict(timeout)!r:.120}"
        ) from exc


def _can_travel(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # pickle raises whatever the object's own code raises
        return False
    return True
