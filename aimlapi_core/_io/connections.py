"""Connections to one origin: each call takes the lowest free one.

httpx's pool looks at all its connections for each of its requests, so that its time grows with
(calls in flight) x (connections). Here each place holds a transport that serves one call at a
time. The lowest free place is taken first: calls in turn share one connection, and there are
never more connections than the most calls that were in flight at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import lru_cache
from heapq import heappop, heappush
from typing import Generic, TypeVar

import httpx

# Below the 5 seconds after which Node's HTTP server, the service's by its headers (contract
# 4, `X-Powered-By: Express`), closes an idle connection by default: a request written into a
# connection that is being closed is lost, and may not be repeated.
KEEPALIVE_S = 4.0

# Both decoders are in the standard library.
_DEFAULT_HEADERS = {"accept": "*/*", "accept-encoding": "gzip, deflate", "connection": "keep-alive"}
_URL = lru_cache(maxsize=64)(httpx.URL)

TransportT = TypeVar("TransportT", httpx.HTTPTransport, httpx.AsyncHTTPTransport)
Headers = Mapping[str, str]


class Places(Generic[TransportT]):
    """Numbered places, each with its transport once a call has used it."""

    def __init__(self, make: Callable[[], TransportT], keepalive_s: float = KEEPALIVE_S) -> None:
        self._make: Callable[[], TransportT] = make
        self._keepalive_s = keepalive_s
        self._free: list[int] = []  # a heap
        self._count = 0
        self._transports: dict[int, TransportT] = {}
        self._idle_since: dict[int, float] = {}
        self._next_look = 0.0
        # Reentrant: the garbage collector may end a forgotten stream, which gives its place back,
        # while this very thread holds the lock.
        self._lock = threading.RLock()

    def take(self) -> tuple[int, TransportT]:
        """The lowest free place, and its transport."""
        with self._lock:
            if self._free:
                place = heappop(self._free)
            else:
                place, self._count = self._count, self._count + 1
            self._idle_since.pop(place, None)
            transport = self._transports.get(place)
            if transport is None:
                transport = self._transports[place] = self._make()
        return place, transport

    def give_back(self, place: int) -> None:
        """Free a place; its connection, where it has one still, may serve the next call."""
        with self._lock:
            if place in self._transports:
                self._idle_since[place] = time.monotonic()
            heappush(self._free, place)

    def take_out(self, place: int) -> TransportT | None:
        """The transport of a place, no longer held here: close it, then give the place back."""
        with self._lock:
            return self._transports.pop(place, None)

    def stale(self) -> Iterator[TransportT]:
        """Transports that have been idle for too long, each taken out as it comes: close it."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + self._keepalive_s
        limit = now - self._keepalive_s
        # A copy in one step: a forgotten stream may give its place back at any other.
        for place, since in self._idle_since.copy().items():
            if since < limit:
                with self._lock:
                    still_idle = self._idle_since.get(place) == since
                    if still_idle:
                        del self._idle_since[place]
                        transport = self._transports.pop(place)
                if still_idle:
                    yield transport

    def clear(self) -> list[TransportT]:
        """All transports, no longer held here: to be closed."""
        with self._lock:
            self._idle_since.clear()
            transports = list(self._transports.values())
            self._transports.clear()
            return transports


class Wire:
    """What a call needs of `httpx.Client`: no cookies, no proxies, no redirects."""

    def __init__(
        self, make: Callable[[], httpx.HTTPTransport], keepalive_s: float = KEEPALIVE_S
    ) -> None:
        self._places = Places(make, keepalive_s)

    def build_request(
        self, method: str, url: str, *, content: bytes, headers: Headers, timeout: httpx.Timeout
    ) -> httpx.Request:
        """As `httpx.Client.build_request`."""
        return _request(method, url, content, headers, timeout)

    def send(
        self, request: httpx.Request, *, stream: bool, follow_redirects: bool
    ) -> httpx.Response:
        """The answer, its body unread; the connection is free once the answer is closed."""
        assert stream
        assert not follow_redirects
        for transport in self._places.stale():
            transport.close()
        place, transport = self._places.take()
        try:
            response = transport.handle_request(request)
        except BaseException:
            _discard(self._places, place)
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Held(response.stream, self._places, place)
        response.request = request
        return response

    def close(self) -> None:
        """Close all connections."""
        for transport in self._places.clear():
            transport.close()


class AsyncWire:
    """What a call needs of `httpx.AsyncClient`, as `Wire` has it."""

    def __init__(
        self, make: Callable[[], httpx.AsyncHTTPTransport], keepalive_s: float = KEEPALIVE_S
    ) -> None:
        self._places = Places(make, keepalive_s)

    def build_request(
        self, method: str, url: str, *, content: bytes, headers: Headers, timeout: httpx.Timeout
    ) -> httpx.Request:
        """As `httpx.AsyncClient.build_request`."""
        return _request(method, url, content, headers, timeout)

    async def send(
        self, request: httpx.Request, *, stream: bool, follow_redirects: bool
    ) -> httpx.Response:
        """The answer, its body unread; the connection is free once the answer is closed."""
        assert stream
        assert not follow_redirects
        for transport in self._places.stale():
            await transport.aclose()
        place, transport = self._places.take()
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            await _adiscard(self._places, place)
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _AsyncHeld(response.stream, self._places, place)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._places.clear():
            await transport.aclose()


def _discard(places: Places[httpx.HTTPTransport], place: int) -> None:
    """Give a place back without its connection, which is in nobody knows what state.

    httpcore leaves a connection open, and never uses it again, when a call is cancelled while it
    gives the connection back (seen with httpcore 1.0.9).
    """
    try:
        transport = places.take_out(place)
        if transport is not None:
            transport.close()
    finally:
        places.give_back(place)


async def _adiscard(places: Places[httpx.AsyncHTTPTransport], place: int) -> None:
    """As `_discard`."""
    try:
        transport = places.take_out(place)
        if transport is not None:
            await transport.aclose()
    finally:
        places.give_back(place)


class _Held(httpx.SyncByteStream):
    """A body; closing it gives its place back, with its connection if it was read to its end."""

    def __init__(
        self, body: httpx.SyncByteStream, places: Places[httpx.HTTPTransport], place: int
    ) -> None:
        self._body = body
        self._places = places
        self._place: int | None = place
        self._is_read = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body
        self._is_read = True

    def close(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            is_idle = False
            try:
                self._body.close()
                is_idle = self._is_read
            finally:
                if is_idle:
                    self._places.give_back(place)
                else:
                    _discard(self._places, place)


class _AsyncHeld(httpx.AsyncByteStream):
    """A body; closing it gives its place back, as `_Held` does."""

    def __init__(
        self,
        body: httpx.AsyncByteStream,
        places: Places[httpx.AsyncHTTPTransport],
        place: int,
    ) -> None:
        self._body = body
        self._places = places
        self._place: int | None = place
        self._is_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece
        self._is_read = True

    async def aclose(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            is_idle = False
            try:
                await self._body.aclose()
                is_idle = self._is_read
            finally:
                if is_idle:
                    self._places.give_back(place)
                else:
                    await _adiscard(self._places, place)


def _request(
    method: str, url: str, content: bytes, headers: Headers, timeout: httpx.Timeout
) -> httpx.Request:
    """As httpx makes it of `content`, in half the time: it would write the headers twice."""
    target = _URL(url)
    own = {
        "host": target.netloc.decode("ascii"),
        **_DEFAULT_HEADERS,
        "content-length": str(len(content)),
    }
    every = own | {name.lower(): value for name, value in headers.items()}
    return httpx.Request(
        method,
        target,
        headers=[(name.encode("ascii"), value.encode("ascii")) for name, value in every.items()],
        stream=httpx.ByteStream(content),
        extensions={"timeout": timeout.as_dict()},
    )
