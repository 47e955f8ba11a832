"""Raw httpx with the JSON parsed: what the network and the bytes cost without any model.

`RawChat` goes through a client of each kind. `RawTransports` has a bare transport of httpx for each
call in flight, since the pool of one client looks at all connections at each request.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

import httpx

from benchmarks.payloads import MODEL

ItemT = TypeVar("ItemT")

_HEADERS = {"Authorization": "Bearer sk-bench", "Content-Type": "application/json"}


def _body(prompt: str, *, stream: bool) -> bytes:
    body: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body).encode()


class Events:
    """Pieces of bytes in, parsed payloads out. Feed many times."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, piece: bytes) -> Iterator[Any]:
        """The payloads that end in this piece."""
        *events, self._tail = (self._tail + piece).split(b"\n\n")
        for event in events:
            if event != b"data: [DONE]":
                yield json.loads(event[6:])


class RawChat:
    """The calls of a chat model, by one httpx client of each kind."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/chat/completions"
        self._sync = httpx.Client(headers=_HEADERS, timeout=60)
        unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._async = httpx.AsyncClient(headers=_HEADERS, timeout=60, limits=unlimited)

    def invoke(self, prompt: str) -> Any:
        """One answer."""
        return self._sync.post(self._url, content=_body(prompt, stream=False)).json()

    async def ainvoke(self, prompt: str) -> Any:
        """One answer."""
        return (await self._async.post(self._url, content=_body(prompt, stream=False))).json()

    def stream(self, prompt: str) -> Iterator[Any]:
        """A stream's payloads."""
        body, events = _body(prompt, stream=True), Events()
        with self._sync.stream("POST", self._url, content=body) as response:
            for piece in response.iter_bytes():
                yield from events.feed(piece)

    async def astream(self, prompt: str) -> AsyncIterator[Any]:
        """A stream's payloads."""
        body, events = _body(prompt, stream=True), Events()
        async with self._async.stream("POST", self._url, content=body) as response:
            async for piece in response.aiter_bytes():
                for payload in events.feed(piece):
                    yield payload

    def close(self) -> None:
        """Close the sync client."""
        self._sync.close()

    async def aclose(self) -> None:
        """Close both clients."""
        self.close()
        await self._async.aclose()


class RawTransports:
    """Asynchronous calls, each over a transport that no other call uses meanwhile."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/chat/completions"
        self._free: list[httpx.AsyncHTTPTransport] = []
        self._tls = ssl.create_default_context()

    async def ainvoke(self, prompt: str) -> Any:
        """One answer."""
        transport = self._free.pop() if self._free else httpx.AsyncHTTPTransport(self._tls)
        body = _body(prompt, stream=False)
        request = httpx.Request("POST", self._url, headers=_HEADERS, content=body)
        response = await transport.handle_async_request(request)
        answer = json.loads(await response.aread())
        self._free.append(transport)
        return answer

    async def aclose(self) -> None:
        """Close them."""
        for transport in self._free:
            await transport.aclose()


def beside(payloads: Iterator[Any], items: Iterator[ItemT]) -> Iterator[ItemT]:
    """The items, one for each payload that comes, and the rest at the end."""
    for _ in payloads:
        for item in items:
            yield item
            break
    yield from items


async def abeside(payloads: AsyncIterator[Any], items: Iterator[ItemT]) -> AsyncIterator[ItemT]:
    """The items, one for each payload that comes, and the rest at the end."""
    async for _ in payloads:
        for item in items:
            yield item
            break
    for item in items:
        yield item
