"""Clients of httpx2, which a caller handed in, with the interface of httpx's.

httpx2 is no dependency, and imported only where such a client is. Its requests, responses and
exceptions are classes of its own with httpx's names: each is translated at this border.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

import httpx

ClientT = TypeVar("ClientT")

_EXTENSION = "aimlapi_httpx2_request"


def with_httpx_interface(client: ClientT) -> ClientT:
    """`client` itself, or one of httpx2 as if it were httpx's."""
    if isinstance(client, (httpx.Client, httpx.AsyncClient)):
        return client
    kind: Any = _AsyncClient if hasattr(client, "aclose") else _Client
    return kind(client)  # type: ignore[no-any-return]  # it has what calls use


class _TranslatedErrors:
    """Context manager: raises httpx2's exceptions as httpx's of the same names."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception) or not type(error).__module__.startswith("httpx2"):
            return
        ours = getattr(httpx, type(error).__name__, httpx.TransportError)
        if issubclass(ours, httpx.StreamError):  # some take no message
            ours = httpx.StreamError
        raise ours(str(error)) from error


_translated_errors = _TranslatedErrors()


class _Base:
    def __init__(self, client: Any) -> None:
        self._client = client
        module = next(
            c.__module__ for c in type(client).__mro__ if c.__module__.startswith("httpx2")
        )
        self._httpx2: Any = importlib.import_module(module.partition(".")[0])

    @property
    def timeout(self) -> httpx.Timeout:
        return httpx.Timeout(**self._client.timeout.as_dict())

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        timeout: httpx.Timeout,
    ) -> httpx.Request:
        with _translated_errors:
            theirs = self._client.build_request(
                method,
                url,
                content=content,
                headers=headers,
                timeout=self._httpx2.Timeout(**timeout.as_dict()),
            )
        extensions = {"timeout": timeout.as_dict(), _EXTENSION: theirs}
        return httpx.Request(method, url, headers=headers, content=content, extensions=extensions)


class _Client(_Base):
    """As `httpx.Client`, for what calls use of it."""

    def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        with _translated_errors:
            theirs = request.extensions[_EXTENSION]
            theirs.stream = _request_body(self._httpx2, request)
            received = self._client.send(theirs, **how)
        return _response(request, received, _Body(received))


class _AsyncClient(_Base):
    """As `httpx.AsyncClient`, for what calls use of it."""

    async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        with _translated_errors:
            received = await self._client.send(request.extensions[_EXTENSION], **how)
        return _response(request, received, _AsyncBody(received))


def _request_body(httpx2: Any, request: httpx.Request) -> Any:
    """The body of an httpx request, which may be stopped, as one of httpx2."""

    class Body(httpx2.SyncByteStream):  # type: ignore[misc]  # known at run time only
        def __iter__(self) -> Iterator[bytes]:
            assert isinstance(request.stream, httpx.SyncByteStream)
            yield from request.stream

    return Body()


def _response(request: httpx.Request, received: Any, body: Any) -> httpx.Response:
    return httpx.Response(
        received.status_code,
        headers=received.headers.raw,
        stream=body,
        request=request,
        extensions=received.extensions,
    )


class _Body(httpx.SyncByteStream):
    """The body of an httpx2 response, undecoded."""

    def __init__(self, received: Any) -> None:
        self._received = received
        self._stream = received.stream  # by this name unread bytes are found

    def __iter__(self) -> Iterator[bytes]:
        with _translated_errors:
            yield from self._stream

    def close(self) -> None:
        with _translated_errors:
            self._received.close()


class _AsyncBody(httpx.AsyncByteStream):
    """As `_Body`."""

    def __init__(self, received: Any) -> None:
        self._received = received
        self._stream = received.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated_errors:
            async for piece in self._stream:
                yield piece

    async def aclose(self) -> None:
        with _translated_errors:
            await self._received.aclose()
