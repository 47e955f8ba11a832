"""Context managers and client ownership: `close()`, `aclose()`, `with`, `async with`."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import fields
from typing import Any, ClassVar, Generic, Self, TypeVar

from aimlapi_core.settings import ApiKey, Settings

# The arguments of `Settings` that are fields of every model object.
CONNECTION_SETTINGS = frozenset(field.name for field in fields(Settings)) - {"retry"}


class SyncContext:
    """`with` for a class that has `close()`."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncContext:
    """`async with` for a class that has `aclose()`."""

    async def aclose(self) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


SyncT = TypeVar("SyncT", bound=SyncContext)
AsyncT = TypeVar("AsyncT", bound=AsyncContext)


class ClientPair(Generic[SyncT, AsyncT]):
    """One sync and one async client, created on first use and again when the settings change.

    Copying and unpickling give an empty pair: sockets stay with the object that opened them.
    """

    def __init__(self, sync: Callable[..., SyncT], asynchronous: Callable[..., AsyncT]) -> None:
        self._constructors = sync, asynchronous
        self._sync: tuple[Settings, SyncT] | None = None
        self._async: tuple[Settings, AsyncT] | None = None
        self._last: tuple[dict[str, Any], Settings] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._constructors

    def settings_for(
        self, values: dict[str, Any], core_key: Callable[[Any], ApiKey] = lambda key: key
    ) -> Settings:
        """The settings with these values, cached for the last call's; `core_key` converts the key.

        Raises ConfigurationError for what cannot work.
        """
        last = self._last  # read once: another thread's call may have other settings
        if last is None or last[0] != values:
            # The values are validated in frames that hold no key.
            settings = Settings(**{**values, "api_key": None}).with_key(core_key(values["api_key"]))
            headers = dict(values["default_headers"])  # a caller's: it may change
            last = self._last = {**values, "default_headers": headers}, settings
        return last[1]

    def sync_for(self, settings: Settings) -> SyncT:
        """The client for sync calls."""
        held = self._sync
        if held is None or (held[0] is not settings and held[0] != settings):
            held = self._sync = settings, self._constructors[0](settings)
        return held[1]

    def async_for(self, settings: Settings) -> AsyncT:
        """The client for async calls, from any event loop."""
        held = self._async
        if held is None or (held[0] is not settings and held[0] != settings):
            held = self._async = settings, self._constructors[1](settings)
        return held[1]

    def close(self) -> None:
        if self._sync is not None:
            self._sync[1].close()

    async def aclose(self) -> None:
        self.close()
        if self._async is not None:
            await self._async[1].aclose()


class ClientOwner(SyncContext, AsyncContext):
    """A pydantic object with clients in `_clients`. It can be used again after `close()`."""

    _clients: ClientPair[Any, Any]
    # What the caller passed in and copies share: it holds locks or sockets.
    _SHARED_BY_COPIES: ClassVar[tuple[str, ...]] = ()

    def close(self) -> None:
        """Release the claim on the shared connections of sync calls; the last claim closes them."""
        self._clients.close()

    async def aclose(self) -> None:
        """Release the claims of sync calls and of the async calls of this event loop."""
        await self._clients.aclose()

    def __copy__(self) -> Self:
        copied: Self = super().__copy__()  # type: ignore[misc]  # pydantic's
        copied._reset_copy()
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        shared = [getattr(self, name, None) for name in self._SHARED_BY_COPIES]
        memo.update((id(value), value) for value in shared)
        copied: Self = super().__deepcopy__(memo)  # type: ignore[misc]  # pydantic's
        copied._reset_copy()
        return copied

    def _reset_copy(self) -> None:
        """Drop from a new copy what belongs to the original alone."""
        self._clients = copy(self._clients)
