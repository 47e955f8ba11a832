"""Bytes that were received on a connection and belong to no answer: it must not be used again.

A server, or a gateway before it, may write more than the answer that its `Content-Length` or last
chunk ends. HTTP/1.1 gives answers no number, so the next call on the connection would take these
bytes for its own answer, whichever key it has. httpcore looks for bytes in the socket before it
uses a connection again, but not for those that were read from it already: they are in h11's buffer,
in the queue of anyio's protocol, or in TLS's buffers. Of our own connections
(`http11_connection`) only the last two are looked at: they close instead of holding any.

These are private to httpcore, h11's users and anyio (the same from httpcore 1.0 to 1.0.9);
`tests/core/test_unread_bytes.py` fails if a later one renames them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx

# What leads from a response's stream to the stream of httpcore's connection, in httpx and httpcore.
_INNER_STREAMS = ("_stream", "_httpcore_stream")


def innermost_connection(connection: Any) -> Any:
    """The `httpcore` (Async)HTTP11Connection inside a connection, that of a proxy too.

    Raises AttributeError before it is opened.
    """
    while not hasattr(connection, "_h11_state"):
        connection = connection._connection
    return connection


def has_unread_bytes(connection: Any) -> bool:
    """Whether a connection, an `httpcore` (Async)HTTP11Connection, holds bytes of no answer.

    Raises AttributeError if it has other attributes than those of the known versions.
    """
    received, is_ended = connection._h11_state.trailing_data
    return bool(received) or is_ended or has_buffered_bytes(connection._network_stream)


def has_buffered_bytes(network_stream: Any) -> bool:
    """Whether a network stream of httpcore holds bytes that were received. Raises as above."""
    stream = getattr(network_stream, "_stream", None)  # anyio's, below httpcore's own
    if stream is None:
        tls = network_stream.get_extra_info("ssl_object")
        return tls is not None and bool(tls.pending())
    while (received := getattr(stream, "_read_bio", None)) is not None:
        if received.pending or stream._ssl_object.pending():
            return True
        stream = stream.transport_stream
    return bool(stream._protocol.read_queue)


def close_with_unread_bytes(response: httpx.Response) -> None:
    """Make a response of a client that is not ours close its connection if it holds bytes.

    Call it before the body is read. Streams that are not httpcore's, and HTTP/2, are left alone.
    """
    stream: Any = response.stream
    connection = _http11_connection(stream)
    if connection is None:
        return
    if isinstance(stream, httpx.SyncByteStream):
        stream.close = partial(_close, stream.close, connection)  # type: ignore[method-assign]  # httpx calls it on the instance
    else:
        stream.aclose = partial(_aclose, stream.aclose, connection)


def _http11_connection(stream: Any) -> Any:
    """The connection that a response comes from; None if it is not one of httpcore's HTTP/1.1."""
    while stream is not None:
        connection = getattr(stream, "_connection", None)
        if connection is not None:
            return connection if hasattr(connection, "_h11_state") else None
        stream = next(filter(None, (getattr(stream, name, None) for name in _INNER_STREAMS)), None)
    return None


def _forbid_reuse(connection: Any) -> None:
    """Have httpcore close the connection with the response, if it holds bytes."""
    try:
        is_unfit = has_unread_bytes(connection)
    except AttributeError:  # another network stream, as trio's
        return
    if is_unfit:
        connection._h11_state.send_failed()


def _close(close: Any, connection: Any) -> None:
    _forbid_reuse(connection)
    close()


async def _aclose(aclose: Any, connection: Any) -> None:
    _forbid_reuse(connection)
    await aclose()
