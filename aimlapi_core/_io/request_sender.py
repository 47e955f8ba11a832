"""Sends HTTP requests with retries, through shared connections: sync and async base class.

Subclassed by the clients, which send model calls, and used for the requests to the account.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx

from aimlapi_core._adapters.package_conflict import warn_once_of_conflict
from aimlapi_core._io.call_observer import CallObserver
from aimlapi_core._io.concurrency_limit import key_digest
from aimlapi_core._io.connections import AsyncPooledClient, PooledClient
from aimlapi_core._io.http_call import FAILURES, SEND_FAILURES, HTTPCall, sendable_user_agent
from aimlapi_core._io.shared_connections import (
    AsyncHTTPClient,
    HTTPClient,
    SharedClient,
    acquire_async_client,
    acquire_client,
    release_async_client,
    release_client,
)
from aimlapi_core._io.sockets.event_loop import require_event_loop
from aimlapi_core._io.sockets.httpx2_clients import with_httpx_interface
from aimlapi_core._io.sockets.unread_bytes import close_with_unread_bytes
from aimlapi_core._io.stream_end import async_stream, is_plain, sync_stream, with_gzip_decoded
from aimlapi_core._late import late_module
from aimlapi_core._values.traceback_locals import clear_locals, without_locals
from aimlapi_core.errors import AIMLAPIError, StatusError
from aimlapi_core.settings import Settings, checked_settings

if TYPE_CHECKING:
    from aimlapi_core._io import account_call
    from aimlapi_core._io.account_call import AccountResponse
    from aimlapi_core.account import AccountRequest
    from aimlapi_core.costs.reconciliation import LookupSteps
else:
    account_call = late_module("aimlapi_core._io.account_call")


class CallContext:
    """Context manager: the HTTP client for one call.

    Takes the key out of what the call raises: out of its text, and of the variables of the frames
    that it left.
    """

    def __init__(self, sender: RequestSender, call: HTTPCall) -> None:
        self._sender = sender
        self._call = call
        self._shared: SharedClient[PooledClient] | None = None

    def __enter__(self) -> HTTPClient:
        given = self._sender.settings.http_client
        if given is not None:
            return with_httpx_interface(given)
        try:
            key = key_digest(self._call.headers)
            self._shared = acquire_client(self._call.url, key, self._sender)
        except BaseException as error:
            self._call.finish(error)
            clear_locals(error)
            raise
        return self._shared.http

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with without_locals:
            try:
                if self._shared is not None:
                    release_client(self._shared)
            finally:
                if error is not None:
                    self._call.finish(error)
                    clear_locals(error)
                if self._call.slot is not None:
                    self._call.slot.release()


class RequestSender:
    """Sends synchronous calls. Holds a claim on the shared connections from its first call on."""

    def __init__(self, settings: Settings, user_agent: str) -> None:
        self.settings = checked_settings(settings)
        self._user_agent = sendable_user_agent(user_agent)
        warn_once_of_conflict()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings!r})"

    def run_lookups(self, lookups: LookupSteps) -> None:
        """Drive a generator of account requests: send each, give it the payload."""
        payload: Any = None
        with suppress(StopIteration):
            while True:
                payload = self._send_account_request(lookups.send(payload)).payload

    def _send_account_request(self, request: AccountRequest) -> AccountResponse:
        with without_locals:
            call = account_call.AccountCall(
                request.settings or self.settings, request, self._user_agent
            )
        try:
            with CallContext(self, call) as http:
                return call.parse_response(self._read_body(call, http))
        except StatusError as error:
            return call.not_modified_response(error)

    def _read_body(self, call: HTTPCall, http: HTTPClient) -> bytes:
        """Send a call and read the whole body of its 2xx response."""
        response = self._send(call, http)
        try:
            if is_plain(response):
                return b"".join(sync_stream(response))
            return response.read()
        except FAILURES as exc:
            raise call.transport_error(exc) from exc
        finally:
            response.close()

    def _send(self, call: HTTPCall, http: HTTPClient) -> httpx.Response:
        """Send a call until it has a 2xx response, body unread. The only retry loop."""
        while True:
            if call.slot is not None:
                call.slot.acquire(call.slot_timeout_s(http))
            call.raise_if_cancelled()
            if call.observer is not None:
                self._run_budget_lookups(call.observer)
            request = call.build_request(http)
            if call.stopped is not None:
                call.make_stoppable(request, http)
            cause: Exception | None = None
            try:
                received = http.send(request, stream=True, follow_redirects=False)
                if not isinstance(http, PooledClient):
                    close_with_unread_bytes(received)
                response = with_gzip_decoded(received)
                if response.is_success:
                    return call.accept(response)
                error: AIMLAPIError = call.status_error(response, self._read_error_body(response))
            except SEND_FAILURES as exc:
                error, cause = call.transport_error(exc), exc
            call.sleep(call.prepare_retry(error, cause, self.settings.retry_policy))

    def _run_budget_lookups(self, observer: CallObserver) -> None:
        """Look up what a budget must know before a request; if it fails, the budget rejects it."""
        lookups = observer.budget_lookups()
        if lookups is not None:
            try:
                self.run_lookups(lookups)
            except AIMLAPIError as error:
                observer.budget_lookup_failed(error)

    def _read_error_body(self, response: httpx.Response) -> bytes:
        """The body of a non-2xx response. It may hold the key: keep it in no frame that raises."""
        try:
            return response.read()
        except FAILURES:  # the status is enough
            return b""
        finally:
            response.close()


class AsyncCallContext:
    """As `CallContext`.

    Not a generator: a closing event loop closes all async generators at once, and that of a
    stream would wait for this one.
    """

    def __init__(self, sender: AsyncRequestSender, call: HTTPCall) -> None:
        self._sender = sender
        self._call = call
        self._shared: SharedClient[AsyncPooledClient] | None = None

    async def __aenter__(self) -> AsyncHTTPClient:
        given = self._sender.settings.http_async_client
        if given is not None:
            return with_httpx_interface(given)
        try:
            key = key_digest(self._call.headers)
            self._shared = await acquire_async_client(self._call.url, key, self._sender)
        except BaseException as error:
            self._call.finish(error)
            clear_locals(error)
            raise
        return self._shared.http

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with without_locals:
            try:
                if self._shared is not None:
                    await release_async_client(self._shared)
            finally:
                if error is not None:
                    self._call.finish(error)
                    clear_locals(error)
                if self._call.slot is not None:
                    self._call.slot.release()


class AsyncRequestSender:
    """Sends asynchronous calls, as `RequestSender` does synchronous ones."""

    def __init__(self, settings: Settings, user_agent: str) -> None:
        self.settings = checked_settings(settings)
        self._user_agent = sendable_user_agent(user_agent)
        warn_once_of_conflict()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings!r})"

    async def run_lookups(self, lookups: LookupSteps) -> None:
        """Drive a generator of account requests: send each, give it the payload."""
        payload: Any = None
        with suppress(StopIteration):
            while True:
                payload = (await self._send_account_request(lookups.send(payload))).payload

    async def _send_account_request(self, request: AccountRequest) -> AccountResponse:
        require_event_loop()
        settings = request.settings or self.settings
        with without_locals:
            keyed = await settings.with_awaited_key() if request.needs_key else settings
            call = account_call.AccountCall(settings, request, self._user_agent, keyed)
        try:
            async with AsyncCallContext(self, call) as http:
                return call.parse_response(await self._read_body(call, http))
        except StatusError as error:
            return call.not_modified_response(error)

    async def _read_body(self, call: HTTPCall, http: AsyncHTTPClient) -> bytes:
        response = await self._send(call, http)
        try:
            if is_plain(response):
                return b"".join([piece async for piece in async_stream(response)])
            return await response.aread()
        except FAILURES as exc:
            raise call.transport_error(exc) from exc
        finally:
            await response.aclose()

    async def _send(self, call: HTTPCall, http: AsyncHTTPClient) -> httpx.Response:
        while True:
            if call.slot is not None:
                await call.slot.aacquire(call.slot_timeout_s(http))
            call.raise_if_cancelled()
            if call.observer is not None:
                await self._run_budget_lookups(call.observer)
            request = call.build_request(http)
            cause: Exception | None = None
            try:
                received = await http.send(request, stream=True, follow_redirects=False)
                if not isinstance(http, AsyncPooledClient):
                    close_with_unread_bytes(received)
                response = with_gzip_decoded(received)
                if response.is_success:
                    return call.accept(response)
                error: AIMLAPIError = call.status_error(
                    response, await self._read_error_body(response)
                )
            except SEND_FAILURES as exc:
                error, cause = call.transport_error(exc), exc
            await asyncio.sleep(call.prepare_retry(error, cause, self.settings.retry_policy))

    async def _run_budget_lookups(self, observer: CallObserver) -> None:
        lookups = observer.budget_lookups()
        if lookups is not None:
            try:
                await self.run_lookups(lookups)
            except AIMLAPIError as error:
                observer.budget_lookup_failed(error)

    async def _read_error_body(self, response: httpx.Response) -> bytes:
        try:
            return await response.aread()
        except FAILURES:  # the status is enough
            return b""
        finally:
            await response.aclose()
