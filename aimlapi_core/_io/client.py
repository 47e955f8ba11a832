"""The sync and async client: complete, stream, embed. They differ only in their I/O lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import httpx

from aimlapi_core._adapters.lifecycle import AsyncContext, SyncContext
from aimlapi_core._io.account_api import AccountAPI, AsyncAccountAPI
from aimlapi_core._io.http_call import FAILURES
from aimlapi_core._io.model_call import ModelCall, PreparedT
from aimlapi_core._io.request_sender import AsyncCallContext, CallContext
from aimlapi_core._io.shared_connections import drop_async_claims, drop_claims
from aimlapi_core._io.sockets.event_loop import require_event_loop
from aimlapi_core._io.stream_end import (
    IdleStreamTimeout,
    ResponseDrain,
    async_stream,
    is_plain,
    sync_stream,
)
from aimlapi_core._late import late_module
from aimlapi_core._values.traceback_locals import without_locals
from aimlapi_core._version import __version__
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.stream_reader import StreamReader
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

if TYPE_CHECKING:
    from aimlapi_core._io import call_group
    from aimlapi_core._wire import embeddings
    from aimlapi_core._wire.embeddings import EmbeddingBatch
else:
    call_group = late_module("aimlapi_core._io.call_group")
    embeddings = late_module("aimlapi_core._wire.embeddings")

USER_AGENT = f"aimlapi-core/{__version__}"
# One read may bring hundreds of events, and nothing waits between them: after so many, other
# tasks of the event loop have a turn.
EVENTS_A_TURN = 16

R = TypeVar("R")


def _report_progress(result: R, batch: EmbeddingBatch, progress: Callable[[int], None] | None) -> R:
    if progress is not None:
        progress(batch.count)
    return result


def _report_reply(
    result: tuple[EmbeddingReply, Transport], answered: Callable[[EmbeddingReply], None] | None
) -> tuple[EmbeddingReply, Transport]:
    if answered is not None:
        answered(embeddings.combine_replies([result]))
    return result


class Client(AccountAPI, SyncContext):
    """Synchronous calls. Opens no connection before the first; may be shared by threads.

    `close()` releases its claim on the shared connections; a later call claims them again.
    """

    def __init__(self, settings: Settings | None = None, *, user_agent: str = USER_AGENT) -> None:
        super().__init__(settings or Settings(), user_agent)

    def complete(self, request: ChatRequest) -> Reply:
        """The whole reply. Raises InvalidRequestError before sending, else another AIMLAPIError."""
        call = self._call(prepare_request(request, stream=False), request)
        with CallContext(self, call) as http:
            return call.decode_reply(self._read_body(call, http))

    def stream(self, request: ChatRequest) -> Generator[StreamEvent, None, None]:
        """The reply as events, the last of which is Finished. `close()` ends the call early.

        The request is sent when the first event is requested; there are no retries after it.
        """
        call = self._call(prepare_request(request, stream=True), request)
        with CallContext(self, call) as http:
            response = self._send(call, http)
            try:
                reader, observer = call.stream_reader(), call.observer
                idle_timeout = IdleStreamTimeout(response.request, reader)
                plain = is_plain(response)
                pieces = iter(sync_stream(response)) if plain else response.iter_bytes()
                try:
                    for piece in pieces:
                        for event in reader.feed(piece):
                            if observer is not None:
                                observer.first_event()
                                observer = None
                            if type(event) is Finished:
                                try:
                                    self._drain(response, reader, pieces)
                                finally:  # interrupted, it is still a whole answer
                                    event = call.finish_event(event)
                            yield event
                        if reader.done:
                            return
                        idle_timeout.check()
                except FAILURES as exc:
                    if not reader.complete:
                        raise call.stream_cut_error(exc, reader) from exc
                for event in reader.close():
                    if observer is not None:
                        observer.first_event()
                        observer = None
                    yield call.finish_event(event)
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
        """The vectors of all texts, in input order, in few requests.

        At most `concurrent_batches` requests are in flight; each is retried separately.
        `progress` is called with the number of texts of each finished request, `answered` with
        its reply, in the thread that sent it, also if another request fails: it was billed.
        Raises the first failure, within a second: requests that have not started by then are not
        sent, and those in flight are given up. So does Ctrl-C.
        """
        batches = embeddings.prepare_batches(request)
        group = call_group.outer_group.get() or call_group.CallGroup()

        def send(batch: EmbeddingBatch) -> tuple[EmbeddingReply, Transport]:
            call = group.added(self._call(batch, request))
            try:
                # Inside: the others are stopped before this call's slot is another's.
                with CallContext(self, call) as http, group:
                    result = call.decode_embeddings(self._read_body(call, http))
                    return _report_reply(result, answered)
            finally:
                group.ended(call)

        most = len(batches)
        workers = min(most, concurrent_batches, self.settings.max_concurrency or most)
        if workers < 2:
            results = [_report_progress(send(batch), batch, progress) for batch in batches]
            return embeddings.combine_replies(results)
        # A thread inherits no context: neither the open cost scope nor the current span.
        threads = call_group.Threads(
            [partial(copy_context().run, send, batch) for batch in batches], workers
        )
        found = {}
        try:
            for index, reply in threads.results():
                found[index] = _report_progress(reply, batches[index], progress)
        except BaseException as exc:
            failure = group.stop(exc)
            threads.end(group, grace_s=call_group.GRACE_S if isinstance(exc, Exception) else 0.0)
            raise failure  # noqa: B904  # mostly exc itself, with its own cause
        return embeddings.combine_replies([found[index] for index in range(most)])

    def close(self) -> None:
        """Release the claim on the shared connections; the last claim closes them."""
        drop_claims(self)

    def _call(
        self, prepared: PreparedT, request: ChatRequest | EmbeddingRequest
    ) -> ModelCall[PreparedT]:
        with without_locals:
            return ModelCall(self.settings, prepared, self._user_agent, request)

    def _drain(
        self, response: httpx.Response, reader: StreamReader, pieces: Iterator[bytes]
    ) -> None:
        """Read the rest of the body: usage and cost, and the connection can then be reused."""
        with ResponseDrain(response, reader) as drain:
            while drain.should_continue():
                drain.consumed(next(pieces, None))


class AsyncClient(AsyncAccountAPI, AsyncContext):
    """Asynchronous calls. Opens no connection before the first; works in any event loop.

    `aclose()` releases its claim on the connections of the running loop.
    """

    def __init__(self, settings: Settings | None = None, *, user_agent: str = USER_AGENT) -> None:
        super().__init__(settings or Settings(), user_agent)

    async def complete(self, request: ChatRequest) -> Reply:
        """As `Client.complete`."""
        call = await self._call(prepare_request(request, stream=False), request)
        async with AsyncCallContext(self, call) as http:
            return call.decode_reply(await self._read_body(call, http))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """As `Client.stream`; `aclose()` ends the call early."""
        call = await self._call(prepare_request(request, stream=True), request)
        async with AsyncCallContext(self, call) as http:
            response = await self._send(call, http)
            try:
                reader, observer = call.stream_reader(), call.observer
                idle_timeout = IdleStreamTimeout(response.request, reader)
                plain = is_plain(response)
                pieces = aiter(async_stream(response)) if plain else response.aiter_bytes()
                events = 0
                try:
                    async for piece in pieces:
                        for event in reader.feed(piece):
                            if observer is not None:
                                observer.first_event()
                                observer = None
                            if type(event) is Finished:
                                try:
                                    await self._drain(response, reader, pieces)
                                finally:  # interrupted, it is still a whole answer
                                    event = call.finish_event(event)
                            yield event
                            events += 1
                            if events % EVENTS_A_TURN == 0:
                                await asyncio.sleep(0)
                        if reader.done:
                            return
                        idle_timeout.check()
                except FAILURES as exc:
                    if not reader.complete:
                        raise call.stream_cut_error(exc, reader) from exc
                for event in reader.close():
                    if observer is not None:
                        observer.first_event()
                        observer = None
                    yield call.finish_event(event)
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
        """As `Client.embed`; the first failure cancels all other requests."""
        require_event_loop()
        batches = embeddings.prepare_batches(request)

        async def send(batch: EmbeddingBatch) -> tuple[EmbeddingReply, Transport]:
            call = await self._call(batch, request)
            async with AsyncCallContext(self, call) as http:
                result = call.decode_embeddings(await self._read_body(call, http))
            return _report_progress(_report_reply(result, answered), batch, progress)

        works = [partial(send, batch) for batch in batches]
        tasks = call_group.start_tasks(works, max(1, concurrent_batches))
        try:
            return embeddings.combine_replies(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def aclose(self) -> None:
        """Release the claim on the running loop's connections; the last claim closes them."""
        await drop_async_claims(self)

    async def _call(
        self, prepared: PreparedT, request: ChatRequest | EmbeddingRequest
    ) -> ModelCall[PreparedT]:
        require_event_loop()
        with without_locals:
            keyed = await self.settings.with_awaited_key()
            return ModelCall(self.settings, prepared, self._user_agent, request, keyed)

    async def _drain(
        self, response: httpx.Response, reader: StreamReader, pieces: AsyncIterator[bytes]
    ) -> None:
        with ResponseDrain(response, reader) as drain:
            while drain.should_continue():
                drain.consumed(await anext(pieces, None))
