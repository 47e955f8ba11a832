"""What both clients ask about the account; they differ in their I/O lines alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from datetime import datetime
from typing import Any, Literal

from aimlapi_core._io.account_call import Catalogue, Inquiry, Told
from aimlapi_core._io.call_observer import Watch
from aimlapi_core._io.http_call import Sending, sendable_user_agent
from aimlapi_core._io.shared_connections import AsyncHttp, Http
from aimlapi_core.account import (
    BALANCE,
    KEY,
    Account,
    LogPage,
    OfferedModel,
    Question,
    logs_question,
    scopes_of,
    to_account,
    to_logs,
)
from aimlapi_core.costs.reconciliation import LookupSteps
from aimlapi_core.errors import AIMLAPIError, StatusError
from aimlapi_core.settings import Settings


def _window(period: str | None, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    """The window of the logs: the last day where none was given."""
    if period is None and start is None and end is None:
        period = "24h"
    return {"period": period, "start": start, "end": end}


def _models(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


class Asks:
    """The questions of the synchronous client, which says how they are sent."""

    def __init__(self, settings: Settings, user_agent: str) -> None:
        self.settings = settings
        self._user_agent = sendable_user_agent(user_agent)
        self._catalogue = Catalogue()

    def _http(self, exchange: Sending) -> AbstractContextManager[Http]:
        raise NotImplementedError

    def _read(self, exchange: Sending, http: Http) -> bytes:
        raise NotImplementedError

    def account(self) -> Account:
        """The balance. Raises AuthenticationError for a key that is none."""
        return to_account(self._get(BALANCE).payload)

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

        `period`: "24h" (the default) or "7d", or else both `start` and `end`, at most 92 days
        apart. A charge may stand there only a while after its answer.
        """
        window = _window(period, start, end)
        question = logs_question(
            **window, models=_models(models), status=status, limit=limit, offset=offset
        )
        return to_logs(self._get(question).payload)

    def list_models(self, model: str | None = None) -> tuple[OfferedModel, ...]:
        """The catalogue, with live prices; or the rows of one model, by its id or an alias.

        One row for each model on each endpoint. Kept with its ETag, so that a second look costs
        a small answer. The catalogue takes any key: it tells nothing about yours.
        """
        told = self._get(self._catalogue.question(model))
        return self._catalogue.take(model, told)

    def key_scopes(self) -> tuple[str, ...] | None:
        """What the key may call (`model:chat`, `model:responses`, …); None: it is not limited."""
        return scopes_of(self._get(KEY).payload)

    def answer(self, asking: LookupSteps) -> None:
        """Give each question that is asked its payload, until there are no more."""
        payload: Any = None
        with suppress(StopIteration):
            while True:
                payload = self._get(asking.send(payload)).payload

    def _admit(self, watch: Watch) -> None:
        """Ask what a budget must know before a request may go out; without it, it will not."""
        asking = watch.budget_lookups()
        if asking is not None:
            try:
                self.answer(asking)
            except AIMLAPIError as error:
                watch.doubt(error)

    def _get(self, question: Question) -> Told:
        inquiry = Inquiry(question.settings or self.settings, question, self._user_agent)
        try:
            with self._http(inquiry) as http:
                return inquiry.told(self._read(inquiry, http))
        except StatusError as error:
            return inquiry.unchanged(error)


class AsyncAsks:
    """The questions of the asynchronous client, which says how they are sent."""

    def __init__(self, settings: Settings, user_agent: str) -> None:
        self.settings = settings
        self._user_agent = sendable_user_agent(user_agent)
        self._catalogue = Catalogue()

    def _http(self, exchange: Sending) -> AbstractAsyncContextManager[AsyncHttp]:
        raise NotImplementedError

    async def _read(self, exchange: Sending, http: AsyncHttp) -> bytes:
        raise NotImplementedError

    async def account(self) -> Account:
        """The balance, as `Client.account` gives it."""
        return to_account((await self._get(BALANCE)).payload)

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
        """The requests made with this key, as `Client.usage_logs` gives them."""
        window = _window(period, start, end)
        question = logs_question(
            **window, models=_models(models), status=status, limit=limit, offset=offset
        )
        return to_logs((await self._get(question)).payload)

    async def list_models(self, model: str | None = None) -> tuple[OfferedModel, ...]:
        """The catalogue, as `Client.list_models` gives it."""
        told = await self._get(self._catalogue.question(model))
        return self._catalogue.take(model, told)

    async def key_scopes(self) -> tuple[str, ...] | None:
        """What the key may call, as `Client.key_scopes` gives it."""
        return scopes_of((await self._get(KEY)).payload)

    async def answer(self, asking: LookupSteps) -> None:
        """Give each question that is asked its payload, until there are no more."""
        payload: Any = None
        with suppress(StopIteration):
            while True:
                payload = (await self._get(asking.send(payload))).payload

    async def _admit(self, watch: Watch) -> None:
        asking = watch.budget_lookups()
        if asking is not None:
            try:
                await self.answer(asking)
            except AIMLAPIError as error:
                watch.doubt(error)

    async def _get(self, question: Question) -> Told:
        inquiry = Inquiry(question.settings or self.settings, question, self._user_agent)
        try:
            async with self._http(inquiry) as http:
                return inquiry.told(await self._read(inquiry, http))
        except StatusError as error:
            return inquiry.unchanged(error)
