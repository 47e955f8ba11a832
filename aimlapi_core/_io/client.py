"""The two clients. They differ in their I/O lines alone; every decision is made elsewhere."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType

import httpx

from aimlapi_core._endpoint import Plan, StreamReader, plan
from aimlapi_core._io.exchange import (
    FAILURES,
    SEND_FAILURES,
    Drain,
    Exchange,
    is_whole_answer,
)
from aimlapi_core._io.pools import async_client, release_async, release_sync, sync_client
from aimlapi_core._version import __version__
from aimlapi_core.errors import AIMLAPIError
from aimlapi_core.retry import judge
from aimlapi_core.settings import Settings
from aimlapi_core.types import ChatRequest, Finished, Reply, StreamEvent

USER_AGENT = f"aimlapi-core/{__version__}"


class Client:
    """Synchronous calls. Opens nothing until the first; may be shared by threads.

    `close()` gives up its claim on the shared connections, and a later call claims them again.
    """

    def __init__(self, settings: Settings | None = None, *, user_agent: str = USER_AGENT) -> None:
        self.settings = settings or Settings()
        self._user_agent = user_agent

    def complete(self, request: ChatRequest) -> Reply:
        """The whole answer. Raises InvalidRequestError before, any other AIMLAPIError after."""
        exchange = self._exchange(plan(request, stream=False))
        response = self._send(exchange)
        try:
            response.read()
        except FAILURES as exc:
            raise exchange.broken(exc) from exc
        finally:
            response.close()
        return exchange.decoded(response)

    def stream(self, request: ChatRequest) -> Generator[StreamEvent, None, None]:
        """The answer's events, the last of which is Finished. `close()` ends the call early.

        Nothing is sent before the first event is asked for; nothing is repeated after it.
        """
        exchange = self._exchange(plan(request, stream=True))
        response = self._send(exchange)
        try:
            yield from self._events(exchange, response)
        finally:
            response.close()

    def close(self) -> None:
        """Give up the claim on the shared connections; the last one closes them."""
        release_sync(self)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _exchange(self, plan: Plan) -> Exchange:
        return Exchange(self.settings, plan, self._user_agent)

    def _send(self, exchange: Exchange) -> httpx.Response:
        """A 2xx answer, its body unread. The one place where requests are repeated."""
        http = self.settings.http_client or sync_client(exchange.url, self)
        attempt = 0
        while True:
            request = exchange.request(http)
            cause: Exception | None = None
            try:
                response = http.send(request, stream=True)
                if response.is_success:
                    return response
                try:
                    response.read()
                finally:
                    response.close()
                error: AIMLAPIError = exchange.refused(response)
            except SEND_FAILURES as exc:
                error, cause = exchange.broken(exc), exc
            verdict = judge(error, attempt, self.settings.retry, random.random())
            if verdict is None:
                raise error from cause
            time.sleep(verdict.delay_s)
            attempt += 1

    def _events(
        self, exchange: Exchange, response: httpx.Response
    ) -> Generator[StreamEvent, None, None]:
        reader = exchange.plan.reader()
        pieces = response.iter_bytes()
        try:
            if is_whole_answer(response):
                response.read()
                yield from reader.whole(exchange.decoded(response))
                return
            for piece in pieces:
                for event in reader.feed(piece):
                    if type(event) is Finished:
                        self._drain(response, reader, pieces)
                        event = exchange.finished_event(event, response)
                    yield event
                if reader.done:
                    return
        except FAILURES as exc:
            if not reader.complete:
                raise exchange.cut(exc, reader) from exc
        for event in reader.close():
            yield exchange.finished_event(event, response)

    def _drain(
        self, response: httpx.Response, reader: StreamReader, pieces: Iterator[bytes]
    ) -> None:
        """Read the end of the body, so that the connection can serve the next call."""
        with Drain(response, reader) as drain:
            while drain.wants_more():
                drain.took(next(pieces, None))


class AsyncClient:
    """Asynchronous calls. Opens nothing until the first; may be used from any event loop.

    `aclose()` gives up its claim on the connections of the running loop.
    """

    def __init__(self, settings: Settings | None = None, *, user_agent: str = USER_AGENT) -> None:
        self.settings = settings or Settings()
        self._user_agent = user_agent

    async def complete(self, request: ChatRequest) -> Reply:
        """The whole answer, as `Client.complete` gives it."""
        exchange = self._exchange(plan(request, stream=False))
        response = await self._send(exchange)
        try:
            await response.aread()
        except FAILURES as exc:
            raise exchange.broken(exc) from exc
        finally:
            await response.aclose()
        return exchange.decoded(response)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """The answer's events, as `Client.stream` gives them; `aclose()` ends the call early."""
        exchange = self._exchange(plan(request, stream=True))
        response = await self._send(exchange)
        try:
            async for event in self._events(exchange, response):
                yield event
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Give up the claim on this loop's connections; the last one closes them."""
        await release_async(self)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _exchange(self, plan: Plan) -> Exchange:
        return Exchange(self.settings, plan, self._user_agent)

    async def _send(self, exchange: Exchange) -> httpx.Response:
        http = self.settings.http_async_client or await async_client(exchange.url, self)
        attempt = 0
        while True:
            request = exchange.request(http)
            cause: Exception | None = None
            try:
                response = await http.send(request, stream=True)
                if response.is_success:
                    return response
                try:
                    await response.aread()
                finally:
                    await response.aclose()
                error: AIMLAPIError = exchange.refused(response)
            except SEND_FAILURES as exc:
                error, cause = exchange.broken(exc), exc
            verdict = judge(error, attempt, self.settings.retry, random.random())
            if verdict is None:
                raise error from cause
            await asyncio.sleep(verdict.delay_s)
            attempt += 1

    async def _events(
        self, exchange: Exchange, response: httpx.Response
    ) -> AsyncGenerator[StreamEvent, None]:
        reader = exchange.plan.reader()
        pieces = response.aiter_bytes()
        try:
            if is_whole_answer(response):
                await response.aread()
                for event in reader.whole(exchange.decoded(response)):
                    yield event
                return
            async for piece in pieces:
                for event in reader.feed(piece):
                    if type(event) is Finished:
                        await self._drain(response, reader, pieces)
                        event = exchange.finished_event(event, response)
                    yield event
                if reader.done:
                    return
        except FAILURES as exc:
            if not reader.complete:
                raise exchange.cut(exc, reader) from exc
        for event in reader.close():
            yield exchange.finished_event(event, response)

    async def _drain(
        self, response: httpx.Response, reader: StreamReader, pieces: AsyncIterator[bytes]
    ) -> None:
        with Drain(response, reader) as drain:
            while drain.wants_more():
                drain.took(await anext(pieces, None))
