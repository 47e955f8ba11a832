"""Base class of the model objects: connection settings, clients, copies, pickles.

Nothing is opened before the first call. Copies and pickles carry settings and key, never
sockets; dicts, JSON and reprs never carry the key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from llama_index.core.schema import BaseComponent
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, SkipValidation, field_serializer

from aimlapi_core import (
    DEFAULT_TIMEOUT_S,
    AsyncClient,
    Client,
    ConfigurationError,
    Settings,
    __version__,
)
from aimlapi_core._adapters.lifecycle import CONNECTION_SETTINGS, ClientOwner, ClientPair
from aimlapi_core._adapters.pickling import (
    check_members_picklable,
    is_picklable,
    pickles_any_function,
)
from aimlapi_core._values.traceback_locals import clear_locals, clears_locals
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core.settings import check_picklable

if TYPE_CHECKING:
    from aimlapi_core import CatalogModel

USER_AGENT = f"llama-index-aimlapi/{__version__}"
_CLIENTS = partial(Client, user_agent=USER_AGENT), partial(AsyncClient, user_agent=USER_AGENT)

# LlamaIndex's own objects, which a pickle leaves out when they cannot be pickled.
_DROPPED_IF_UNPICKLABLE = ("callback_manager", "rate_limiter", "embeddings_cache")
# The caller's, whose copy works otherwise without them: in worker processes, say.
_DROPPED_WITH_WARNING = (
    "messages_to_prompt",
    "completion_to_prompt",
    "output_parser",
    "query_wrapper_prompt",
)
_ALWAYS_IN_REPR = ("model", "model_name", "embed_batch_size")
_NEVER_IN_REPR = ("callback_manager", "messages_to_prompt", "completion_to_prompt")


# Bases are never built: it takes time at each import.
MODEL_CONFIG = ConfigDict(hide_input_in_errors=True, defer_build=True)


class AIMLAPIBase(ClientOwner, BaseComponent):
    """Connection settings of a model object."""

    _SHARED_BY_COPIES: ClassVar = (
        *_DROPPED_IF_UNPICKLABLE,
        "api_key",
        "http_client",
        "http_async_client",
    )

    # A value of the wrong type may be a secret: pydantic would print it.
    model_config = MODEL_CONFIG

    api_key: str | Callable[[], str | Awaitable[str]] | None = Field(
        default=None,
        exclude=True,
        repr=False,
        description="Key, or a function that gives one, which may be async in async calls; None "
        "reads AIMLAPI_API_KEY at each call.",
    )
    base_url: str | None = Field(default=None, description="None reads AIMLAPI_BASE_URL.")
    timeout: Any = Field(
        default=DEFAULT_TIMEOUT_S, description="Seconds, or an httpx.Timeout; None means none."
    )
    max_retries: int = Field(default=2, description="At most that many repetitions of a call.")
    max_concurrency: SkipValidation[int | None] = Field(  # the core's own check refuses True
        default=None, description="At most that many requests of the account in flight at once."
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
        """The model and the fields that are not at their defaults."""
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name not in fields or name in _NEVER_IN_REPR:
                continue
            default = fields[name].get_default(call_default_factory=True)
            if name in _ALWAYS_IN_REPR or value != default:
                yield name, value

    @clears_locals
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)

    @field_serializer("timeout")
    def _timeout_as_data(self, timeout: Any) -> Any:
        return timeout.as_dict() if hasattr(timeout, "as_dict") else timeout

    def _settings(self, call: Mapping[str, Any] | None = None) -> Settings:
        """The fields as the core takes them, below the settings of one call.

        Raises ConfigurationError for what cannot work.
        """
        try:
            return self._clients.settings_for(self._connection(call))
        except BaseException as error:
            clear_locals(error)
            raise

    def _connection(self, call: Mapping[str, Any] | None) -> dict[str, Any]:
        fields = self.__dict__  # faster than attributes
        values = {n: fields[n] for n in CONNECTION_SETTINGS}
        return {**values, **call} if call else values

    def _sync_client(self, call: Mapping[str, Any] | None = None) -> Client:
        return self._clients.sync_for(self._settings(call))

    def _async_client(self, call: Mapping[str, Any] | None = None) -> AsyncClient:
        return self._clients.async_for(self._settings(call))

    def list_models(self, model: str | None = None) -> tuple[CatalogModel, ...]:
        """The model catalog with live prices; or the rows of one model, by id or alias."""
        return self._sync_client().list_models(model)

    async def alist_models(self, model: str | None = None) -> tuple[CatalogModel, ...]:
        """`list_models`, asynchronously."""
        return await self._async_client().list_models(model)

    def __getstate__(self) -> dict[str, Any]:
        # BaseComponent's own deletes what cannot be pickled from this very object, clients
        # included; here it is left out of the state, or raises.
        check_picklable(self.http_client, self.http_async_client)
        any_function = pickles_any_function()
        check_members_picklable(type(self).__name__, {"api_key": self.api_key})
        droppable = _DROPPED_IF_UNPICKLABLE + (() if any_function else _DROPPED_WITH_WARNING)
        fields = {
            name: value
            for name, value in self.__dict__.items()
            if name not in droppable or is_picklable(value)
        }
        for name in _DROPPED_WITH_WARNING:
            if name in self.__dict__ and name not in fields:
                _warn_not_pickled(type(self).__name__, name)
        return {
            "__dict__": fields,
            "__pydantic_extra__": None,
            "__pydantic_fields_set__": set(fields),
            "__pydantic_private__": {},
        }


def reveal_key(
    key: str | SecretStr | Callable[[], str | Awaitable[str]] | None,
) -> str | Callable[[], str | Awaitable[str]] | None:
    """The key as the field holds it: a SecretStr could not be written to JSON.

    Raises ConfigurationError for any other type, without the value.
    """
    if not (key is None or isinstance(key, (str, SecretStr)) or callable(key)):
        raise ConfigurationError(
            f"api_key is a string, a SecretStr or a function that gives a string, not of type "
            f"{type(key).__name__}."
        )
    return key.get_secret_value() if isinstance(key, SecretStr) else key


def parse_timeout(timeout: Any) -> Any:
    """The time-out as the field holds it; a dict, as `to_dict` writes it, becomes an httpx.Timeout.

    Raises ConfigurationError for any other dict.
    """
    if not isinstance(timeout, Mapping):
        return timeout
    import httpx  # for the type of a value; the I/O is the core's

    try:
        return httpx.Timeout(**timeout)
    except (TypeError, ValueError) as exc:
        raise ConfigurationError(
            "timeout as a dict has the four seconds of an httpx.Timeout: connect, read, write, "
            f"pool; not {dict(timeout)!r:.120}"
        ) from exc


def _warn_not_pickled(kind: str, name: str) -> None:
    message = (
        f"{name} of {kind} cannot be pickled, so copies in other processes work without it: define "
        "its functions with def in a module, not as lambdas or inside other functions."
    )
    warn_once((kind, "pickle", name), message, UserWarning)
