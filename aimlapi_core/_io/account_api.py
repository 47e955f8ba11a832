"""Account methods of both clients: balance, usage logs, model catalog, key scopes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from aimlapi_core._io.request_sender import AsyncRequestSender, RequestSender
from aimlapi_core._late import late_module
from aimlapi_core.settings import Settings

if TYPE_CHECKING:
    from aimlapi_core import account as accounts
    from aimlapi_core._io import account_call
    from aimlapi_core.account import Account, AccountRequest, CatalogModel, LogPage
    from aimlapi_core.models import deprecations as feed
    from aimlapi_core.models.deprecations import Deprecation
else:
    accounts = late_module("aimlapi_core.account")
    account_call = late_module("aimlapi_core._io.account_call")
    feed = late_module("aimlapi_core.models.deprecations")


def _window(period: str | None, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    """The time window of the logs; the last day by default."""
    if period is None and start is None and end is None:
        period = "24h"
    return {"period": period, "start": start, "end": end}


def _models(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _deprecations_request(_: str | None, etag: str | None) -> AccountRequest:
    return accounts.AccountRequest(feed.PATH, (), etag, needs_key=False)


def _remembered(settings: Settings, entries: tuple[Deprecation, ...]) -> tuple[Deprecation, ...]:
    feed.remember_deprecations(settings.resolved_base_url(), entries)
    return entries


class _Lists:
    """The lists that a client has read, each with its ETag."""

    @cached_property
    def _catalog(self) -> account_call.ETagCache[tuple[CatalogModel, ...]]:
        return account_call.ETagCache(accounts.models_request, accounts.parse_models)

    @cached_property
    def _deprecations(self) -> account_call.ETagCache[tuple[Deprecation, ...]]:
        return account_call.ETagCache(_deprecations_request, feed.parse_deprecations)


class AccountAPI(_Lists, RequestSender):
    """Synchronous account requests."""

    def account(self) -> Account:
        """The balance. Raises AuthenticationError for an invalid key."""
        return accounts.parse_account(self._send_account_request(accounts.BALANCE_REQUEST).payload)

    def usage_logs(
        self,
        *,
        period: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        models: str | Sequence[str] = (),
        status: Literal["succeeded", "failed"] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> LogPage:
        """The requests made with this key, newest first: `limit` (at most 100) from `offset` on.

        `period`: "24h" (the default) or "7d"; or both `start` and `end`, at most 92 days apart.
        A request may be listed only some time after its response.
        """
        window = _window(period, start, end)
        request = accounts.logs_request(
            **window, models=_models(models), status=status, limit=limit, offset=offset
        )
        return accounts.parse_logs(self._send_account_request(request).payload)

    def list_models(self, model: str | None = None) -> tuple[CatalogModel, ...]:
        """The model catalog with live prices; or the rows of one model, by its id or an alias.

        One row for each model on each endpoint. Cached with its ETag and revalidated by a
        conditional request. The catalog accepts any key, so success does not validate yours.
        """
        response = self._send_account_request(self._catalog.request(model))
        return self._catalog.update(response, model)

    def deprecations(self) -> tuple[Deprecation, ...]:
        """The models that are deprecated, superseded or withdrawn, newest first. No key is sent.

        Revalidated by its ETag. From then on an error of a call that finds no model names, in
        this process and for this address, what replaces it.
        """
        response = self._send_account_request(self._deprecations.request())
        return _remembered(self.settings, self._deprecations.update(response))

    def key_scopes(self) -> tuple[str, ...] | None:
        """The scopes of the key (`model:chat`, `model:responses`, …); None if unrestricted."""
        return accounts.parse_scopes(self._send_account_request(accounts.KEY_REQUEST).payload)


class AsyncAccountAPI(_Lists, AsyncRequestSender):
    """Asynchronous account requests."""

    async def account(self) -> Account:
        """As `Client.account`."""
        return accounts.parse_account(
            (await self._send_account_request(accounts.BALANCE_REQUEST)).payload
        )

    async def usage_logs(
        self,
        *,
        period: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        models: str | Sequence[str] = (),
        status: Literal["succeeded", "failed"] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> LogPage:
        """As `Client.usage_logs`."""
        window = _window(period, start, end)
        request = accounts.logs_request(
            **window, models=_models(models), status=status, limit=limit, offset=offset
        )
        return accounts.parse_logs((await self._send_account_request(request)).payload)

    async def list_models(self, model: str | None = None) -> tuple[CatalogModel, ...]:
        """As `Client.list_models`."""
        response = await self._send_account_request(self._catalog.request(model))
        return self._catalog.update(response, model)

    async def deprecations(self) -> tuple[Deprecation, ...]:
        """As `Client.deprecations`."""
        response = await self._send_account_request(self._deprecations.request())
        return _remembered(self.settings, self._deprecations.update(response))

    async def key_scopes(self) -> tuple[str, ...] | None:
        """As `Client.key_scopes`."""
        return accounts.parse_scopes(
            (await self._send_account_request(accounts.KEY_REQUEST)).payload
        )
