"""The two clients. They differ in their I/O lines alone; every decision is made elsewhere."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from types import TracebackType
from typing import TypeVar

import httpx

from aimlapi_core._adapters.lifecycle import AsyncContext, SyncContext
from aimlapi_core._io.account_api import Asks, AsyncAsks
from aimlapi_core._io.http_call import FAILURES, SEND_FAILURES, Sending, Together
from aimlapi_core._io.model_call import Exchange, PlanT
from aimlapi_core._io.shared_connections import (
    AsyncHttp,
    Http,
    Pool,
    begin_async,
    begin_sync,
    end_async,
    end_sync,
    release_async,
    release_sync,
)
from aimlapi_core._io.stream_end import Drain, Watchdog, async_stream, is_plain, sync_stream
from aimlapi_core._version import __version__
from aimlapi_core._wire import embeddings
from aimlapi_core._wire.embeddings import EmbeddingBatch
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.stream_reader import StreamReader
from aimlapi_core.errors import AIMLAPIError
from aimlapi_core.retry import judge
from aimlapi_core.settings import Settings
from aimlapi_core.types import (
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    Finished,
    Reply,
    StreamEvent,
    Transport,
)

USER_AGENT = f"aimlapi-core/{__version__}"


Answered = TypeVar("Answered")


def _told(
    answer: Answered, plan: EmbeddingBatch, progress: Callable[[int], None] | None
) -> Answered:
    if progress is not None:
        progress(plan.count)
    return answer


def _noted(
    answer: tuple[EmbeddingReply, Transport], answered: Callable[[EmbeddingReply], None] | None
) -> tuple[EmbeddingReply, Transport]:
    if answered is not None:
        answered(embeddings.combine_replies([answer]))
    return answer


class _Use:
    """The client for one call. What the call raises leaves without the key."""

    def __init__(self, owner: Client, exchange: Sending) -> None:
        self._owner = owner
        self._exchange = exchange
        self._pool: Pool[Http] | None = None

    def __enter__(self) -> Http:
        given = self._owner.settings.http_client
        if given is not None:
            return given
        try:
            self._pool = begin_sync(self._exchange.url, self._owner)
        except BaseException as error:
            self._exchange.leave(error)
            raise
        return self._pool.http

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._pool is not None:
                end_sync(self._pool)
        finally:
            if error is not None:
                self._exchange.leave(error)
            if self._exchange.slot is not None:
                self._exchange.slot.release()


class Client(Asks, SyncContext):
    """Synchronous calls. Opens nothing until the first; may be shared by threads.

    `close()` gives up its claim on the shared connections, and a later call claims them again.
    """

    def __init__(self, settings: Settings | None = None, *, user_agent: str = USER_AGENT) -> None:
        super().__init__(settings or Settings(), user_agent)

    def complete(self, request: ChatRequest) -> Reply:
        """The whole answer. Raises InvalidRequestError before, any other AIMLAPIError after."""
        exchange = self._exchange(prepare_request(request, stream=False), request)
        with self._http(exchange) as http:
            return exchange.decoded(self._read(exchange, http))

    def stream(self, request: ChatRequest) -> Generator[StreamEvent, None, None]:
        """The answer's events, the last of which is Finished. `close()` ends the call early.

        Nothing is sent before the first event is asked for; nothing is repeated after it.
        """
        exchange = self._exchange(prepare_request(request, stream=True), request)
        with self._http(exchange) as http:
            response = self._send(exchange, http)
            try:
                reader, watch = exchange.reader(response), exchange.watch
                watchdog = Watchdog(response.request, reader)
                plain = is_plain(response)
                pieces = iter(sync_stream(response)) if plain else response.iter_bytes()
                try:
                    for piece in pieces:
                        for event in reader.feed(piece):
                            if watch is not None:
                                watch.first_event()
                                watch = None
                            if type(event) is Finished:
                                event = exchange.finished_event(event)
                                self._drain(response, reader, pieces)
                            yield event
                        if reader.done:
                            return
                        watchdog.check()
                except FAILURES as exc:
                    if not reader.complete:
                        raise exchange.cut(exc, reader) from exc
                for event in reader.close():
                    if watch is not None:
                        watch.first_event()
                        watch = None
                    yield exchange.finished_event(event)
            finally:
                response.close()

    def embed(
        self,
        request: EmbeddingRequest,
        *,
        concurrent_batches: int = 4,
        progress: Callable[[int], None] | None = None,
        answered: Callable[[EmbeddingReply], None] | None = None,
    ) -> EmbeddingReply:
        """The vectors of all texts, in their order, in as few requests as the limits allow.

        At most `concurrent_batches` requests are under way at once; each is repeated by itself.
        `progress` is called with the number of texts of each request that is done, `answered`
        with its reply, in the thread that made it, also where another request fails: it was
        billed. Raises the first failure; requests that have not begun by then are not sent.
        """
        plans = embeddings.prepare_batches(request)
        together = Together()

        def one(plan: EmbeddingBatch) -> tuple[EmbeddingReply, Transport]:
            exchange = together.added(self._exchange(plan, request))
            try:
                with self._http(exchange) as http:
                    return _noted(exchange.vectors(self._read(exchange, http)), answered)
            except BaseException as exc:  # here: this thread goes on to the next batch at once
                together.stop(exc)
                raise

        at_once = min(len(plans), concurrent_batches, self.settings.max_concurrency or len(plans))
        if at_once < 2:
            return embeddings.combine_replies([_told(one(plan), plan, progress) for plan in plans])
        with ThreadPoolExecutor(at_once) as threads:
            # A thread inherits no context: neither the open scope of costs nor the current span.
            running = {threads.submit(copy_context().run, one, plan): plan for plan in plans}
            try:
                for done in as_completed(running):
                    _told(done.result(), running[done], progress)
            except BaseException as exc:
                threads.shutdown(wait=False, cancel_futures=True)
                raise together.stop(exc)  # noqa: B904  # mostly exc itself, with its own cause
            return embeddings.combine_replies([future.result() for future in running])

    def close(self) -> None:
        """Give up the claim on the shared connections; the last one closes them."""
        release_sync(self)

    def _exchange(self, plan: PlanT, request: ChatRequest | EmbeddingRequest) -> Exchange[PlanT]:
        return Exchange(self.settings, plan, self._user_agent, request)

    def _http(self, exchange: Sending) -> _Use:
        return _Use(self, exchange)

    def _read(self, exchange: Sending, http: Http) -> bytes:
        """The body of a 2xx answer."""
        response = self._send(exchange, http)
        try:
            if is_plain(response):
                return b"".join(sync_stream(response))
            return response.read()
        except FAILURES as exc:
            raise exchange.broken(exc) from exc
        finally:
            response.close()

    def _send(self, exchange: Sending, http: Http) -> httpx.Response:
        """A 2xx answer, its body unread. The one place where requests are repeated."""
        attempt = 0
        while True:
            if exchange.slot is not None:
                exchange.slot.acquire(exchange.patience_s(http))
            exchange.check()
            if exchange.watch is not None:
                self._admit(exchange.watch)
            request = exchange.request(http)
            cause: Exception | None = None
            try:
                response = http.send(request, stream=True, follow_redirects=False)
                if response.is_success:
                    return exchange.accept(response)
                error: AIMLAPIError = exchange.refused(response, self._refusal(response))
            except SEND_FAILURES as exc:
                error, cause = exchange.broken(exc), exc
            verdict = judge(
                error, attempt, self.settings.retry_policy, random.random(), exchange.elapsed_s()
            )
            if verdict is None:
                raise error from cause
            exchange.repeat(error, verdict.delay_s)
            time.sleep(verdict.delay_s)
            attempt += 1

    def _refusal(self, response: httpx.Response) -> bytes:
        """The body of an answer outside 2xx, which may hold the key: in no frame that raises."""
        try:
            return response.read()
        except FAILURES:  # its status says enough
            return b""
        finally:
            response.close()

    def _drain(
        self, response: httpx.Response, reader: StreamReader, pieces: Iterator[bytes]
    ) -> None:
        """Read the end of the body, so that the connection can serve the next call."""
        with Drain(response, reader) as drain:
            while drain.wants_more():
                drain.took(next(pieces, None))


class _AsyncUse:
    """As `_Use`.

    No generator: a loop that ends closes all of its generators at once, and that of a stream
    would wait for this one.
    """

    def __init__(self, owner: AsyncClient, exchange: Sending) -> None:
        self._owner = owner
        self._exchange = exchange
        self._pool: Pool[AsyncHttp] | None = None

    async def __aenter__(self) -> AsyncHttp:
        given = self._owner.settings.http_async_client
        if given is not None:
            return given
        try:
            self._pool = await begin_async(self._exchange.url, self._owner)
        except BaseException as error:
            self._exchange.leave(error)
            raise
        return self._pool.http

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._pool is not None:
                await end_async(self._pool)
        finally:
            if error is not None:
                self._exchange.leave(error)
            if self._exchange.slot is not None:
                self._exchange.slot.release()


class AsyncClient(AsyncAsks, AsyncContext):
    """Asynchronous calls. Opens nothing until the first; may be used from any event loop.

    `aclose()` gives up its claim on the connections of the running loop.
    """

    def __init__(self, settings: Settings | None = None, *, user_agent: str = USER_AGENT) -> None:
        super().__init__(settings or Settings(), user_agent)

    async def complete(self, request: ChatRequest) -> Reply:
        """The whole answer, as `Client.complete` gives it."""
        exchange = self._exchange(prepare_request(request, stream=False), request)
        async with self._http(exchange) as http:
            return exchange.decoded(await self._read(exchange, http))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """The answer's events, as `Client.stream` gives them; `aclose()` ends the call early."""
        exchange = self._exchange(prepare_request(request, stream=True), request)
        async with self._http(exchange) as http:
            response = await self._send(exchange, http)
            try:
                reader, watch = exchange.reader(response), exchange.watch
                watchdog = Watchdog(response.request, reader)
                plain = is_plain(response)
                pieces = aiter(async_stream(response)) if plain else response.aiter_bytes()
                try:
                    async for piece in pieces:
                        for event in reader.feed(piece):
                            if watch is not None:
                                watch.first_event()
                                watch = None
                            if type(event) is Finished:
                                event = exchange.finished_event(event)
                                await self._drain(response, reader, pieces)
                            yield event
                        if reader.done:
                            return
                        watchdog.check()
                except FAILURES as exc:
                    if not reader.complete:
                        raise exchange.cut(exc, reader) from exc
                for event in reader.close():
                    if watch is not None:
                        watch.first_event()
                        watch = None
                    yield exchange.finished_event(event)
            finally:
                await response.aclose()

    async def embed(
        self,
        request: EmbeddingRequest,
        *,
        concurrent_batches: int = 4,
        progress: Callable[[int], None] | None = None,
        answered: Callable[[EmbeddingReply], None] | None = None,
    ) -> EmbeddingReply:
        """The vectors of all texts, as `Client.embed` gives them; the first failure cancels all."""
        plans = embeddings.prepare_batches(request)
        free = asyncio.Semaphore(max(1, concurrent_batches))

        async def one(plan: EmbeddingBatch) -> tuple[EmbeddingReply, Transport]:
            async with free:
                exchange = self._exchange(plan, request)
                async with self._http(exchange) as http:
                    answer = exchange.vectors(await self._read(exchange, http))
                return _told(_noted(answer, answered), plan, progress)

        tasks = [asyncio.ensure_future(one(plan)) for plan in plans]
        try:
            return embeddings.combine_replies(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def aclose(self) -> None:
        """Give up the claim on this loop's connections; the last one closes them."""
        await release_async(self)

    def _exchange(self, plan: PlanT, request: ChatRequest | EmbeddingRequest) -> Exchange[PlanT]:
        return Exchange(self.settings, plan, self._user_agent, request)

    def _http(self, exchange: Sending) -> _AsyncUse:
        return _AsyncUse(self, exchange)

    async def _read(self, exchange: Sending, http: AsyncHttp) -> bytes:
        response = await self._send(exchange, http)
        try:
            if is_plain(response):
                return b"".join([piece async for piece in async_stream(response)])
            return await response.aread()
        except FAILURES as exc:
            raise exchange.broken(exc) from exc
        finally:
            await response.aclose()

    async def _send(self, exchange: Sending, http: AsyncHttp) -> httpx.Response:
        attempt = 0
        while True:
            if exchange.slot is not None:
                await exchange.slot.aacquire(exchange.patience_s(http))
            exchange.check()
            if exchange.watch is not None:
                await self._admit(exchange.watch)
            request = exchange.request(http)
            cause: Exception | None = None
            try:
                response = await http.send(request, stream=True, follow_redirects=False)
                if response.is_success:
                    return exchange.accept(response)
                error: AIMLAPIError = exchange.refused(response, await self._refusal(response))
            except SEND_FAILURES as exc:
                error, cause = exchange.broken(exc), exc
            verdict = judge(
                error, attempt, self.settings.retry_policy, random.random(), exchange.elapsed_s()
            )
            if verdict is None:
                raise error from cause
            exchange.repeat(error, verdict.delay_s)
            await asyncio.sleep(verdict.delay_s)
            attempt += 1

    async def _refusal(self, response: httpx.Response) -> bytes:
        try:
            return await response.aread()
        except FAILURES:  # its status says enough
            return b""
        finally:
            await response.aclose()

    async def _drain(
        self, response: httpx.Response, reader: StreamReader, pieces: AsyncIterator[bytes]
    ) -> None:
        with Drain(response, reader) as drain:
            while drain.wants_more():
                drain.took(await anext(pieces, None))
