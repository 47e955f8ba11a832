"""Any bytes, in any pieces, are the response that httpcore reads by h11, or the same error."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any

import httpcore
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aimlapi_core._io.sockets import http11
from aimlapi_core._io.sockets.http11 import ResponseReader
from aimlapi_core._io.sockets.http11_connection import AsyncHTTP11Connection, HTTP11Connection

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ORIGIN = httpcore.Origin(b"http", b"host", 80)
PLAIN = [
    (b"host", b"host"),
    (b"connection", b"keep-alive"),
    (b"content-length", b"2"),
    (b"authorization", b"Bearer \xe9 key"),
]

PLAIN_STATUS = (b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 404 Not\tFound \xff ")
ODD_STATUS = (
    *(b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 999 \x01"),
    *(b"HTTP/1.0 200 OK", b"HTTP/1.1 099 Low", b"HTTP/1.1 20 OK", b"HTTP/2 200 OK"),
    *(b"http/1.1 200", b"\r\nHTTP/1.1 200 OK", b"\nHTTP/1.1 200 OK", b"HTTP/1.1 2000 OK"),
    *(b"HTTP/1.1 101 Switching", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"),
    *(b"HTTP/1.1  200 OK", b"HTTP/1.1 200\tOK", b"HTTP/1.1 200 O\x00K", b""),
    *(b"HTTP/1.1 200 O\x0bK", b"HTTP/1.1 200 O\x0cK", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 \xb2"),
)
PLAIN_HEADERS = (
    *(b"X-Request-Id: 1", b"x:", b"x: \t ", b"x:y", b"x: a b\tc  ", b"X: \x01\x7f\xff", b"x: y:z"),
    *(b"Connection: close", b"connection: keep-alive, Close", b"Connection: closed", b"Upgrade: h"),
)
ODD_HEADERS = (
    *(b" folded", b"\tfolded", b"x y: z", b"x : z", b": z", b"no colon", b"x: \x00", b"x: \x0b"),
    *(b"x: a\nb: c", b"x: a\rb", b"\xe9: z", b"x: \x0c", b"", b"\n", b"Connection: \x1cclose"),
)
LENGTHS = (b"Content-Length: 5", b"content-length:\t5 \t", b"CONTENT-LENGTH: 0005")
CHUNKED = (b"Transfer-Encoding: chunked", b"transfer-encoding:chunked ")
ODD_FRAMINGS = (
    *(b"Content-Length: 0", b"Content-Length: 5, 5", b"Content-Length: +5", b"Content-Length: -5"),
    *(b"Content-Length:", b"Content-Length: 5.0", b"Content-Length: 123456789012345678901"),
    *(b"Content-Length: 5\r\nContent-Length: 5", b"Content-Length: 5\r\ncontent-length: 6"),
    *(b"Content-Length: 70000", b"Content-Length : 5", b"Content-Length", b"Content-Length: \xb2"),
    *(b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding:"),
    *(b"Transfer-Encoding: Chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5"),
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    *(b"Content-Length: 5 5", b"Content-Length: 0x5", b"Content-Length: 0_5", b"Content-Length: "),
    *(b"Content-Length: \xd9\xa5", b"Content-Length: 5\r\n 0", b"Content-Length: %020d" % 5),
    *(b"Transfer-Encoding: xchunked", b"Transfer-Encoding:\x0bchunked"),
    *(b"Transfer-Encoding : chunked", b"Transfer-Encoding:\r\n chunked"),
    b"Content-Length: 3\r\nTransfer-Encoding: chunked",
)
ODD_ENDS = (b"\n\n", b"\r\n\n", b"\n\r\n", b"\r\n", b"")
CHUNKS = (b"5\r\nhello\r\n", b"0005\r\nhello\r\n", b"A\r\n0123456789\r\n", b"a\r\n0123456789\r\n")
ODD_CHUNKS = (
    *(b"5;x=1\r\nhello\r\n", b"5 \r\nhello\r\n", b"5\t\r\nhello\r\n", b" 5\r\nhello\r\n"),
    *(b"5\nhello\r\n", b"5\r\nhello\n", b"5\r\nhello", b"5\r\nhello\r", b"5\r\nhelloXX", b"-5\r\n"),
    *(
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"\r\n",
        b"g\r\n",
        b"5\r\n\r\n0\r\n\r\n",
        b"1_0\r\n",
    ),
    *(b"fffff\r\nmuch is missing", b"%020x\r\nx\r\n" % 1, b"%021x\r\nx\r\n" % 1, b"5\r\r\nhello"),
    *(b"5\0\r\nhello\r\n", b"\xa05\r\nhello\r\n", b"\xd9\xa5\r\nhello\r\n", b"5,5\r\nhello\r\n"),
    *(b"%020d\r\nhello\r\n" % 5, b"F" * 20 + b"\r\nmuch is missing", b'5;a="\r"\r\nhello\r\n'),
    *(b"11170\r\n" + b"!" * 70_000 + b"\r\n", b"5\r\nhello\rX"),
)
ODD_LAST_CHUNKS = (
    *(b"000\r\n\r\n", b"0;x\r\n\r\n", b"0\r\nTrailer: 1\r\n\r\n", b"0\r\n x: y\r\n\r\n"),
    *(b"0\r\n\n", b"0\n\n", b"0\r\n\rX", b"0\r\nX", b"0\r\n", b"0\r", b"0", b""),
)
ODD_BODIES = (b"hell", b"hello!", b"", b"hello\r\n", b"!" * 70_000)


def mostly(plain: tuple[bytes, ...], odd: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    return st.sampled_from(plain * (9 * len(odd) // len(plain) + 1) + odd)


BODY_IN_CHUNKS = st.builds(
    lambda chunks, last: b"".join(chunks) + last,
    st.lists(mostly(CHUNKS, ODD_CHUNKS), max_size=4),
    mostly((b"0\r\n\r\n",), ODD_LAST_CHUNKS),
)
BODY = mostly((b"hello",), ODD_BODIES)
FRAMED_BODIES = (
    st.tuples(st.sampled_from(CHUNKED), BODY_IN_CHUNKS)
    | st.tuples(st.sampled_from(LENGTHS), BODY)
    | st.tuples(mostly(CHUNKED + LENGTHS, ODD_FRAMINGS), BODY | BODY_IN_CHUNKS)
)
RESPONSES = st.builds(
    lambda status, headers, framed, end, behind: (
        b"\r\n".join([status, *headers, framed[0]]) + end + framed[1] + behind
    ),
    mostly(PLAIN_STATUS, ODD_STATUS),
    st.lists(mostly(PLAIN_HEADERS, ODD_HEADERS), max_size=2),
    FRAMED_BODIES,
    mostly((b"\r\n\r\n",), ODD_ENDS),
    mostly((b"",), (b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n")),
)
DAMAGE = st.none() | st.none() | st.tuples(st.integers(0), st.integers(0, 2), st.binary(max_size=2))
CUTS = st.sampled_from([[], range(1, 400)]) | st.lists(st.integers(0), max_size=4)


class Received:
    """A network stream on which these pieces are received, and then its end."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.reads = 0

    def received(self, max_bytes: int) -> bytes:
        self.reads += 1
        if not self._pieces:
            return b""
        piece, *self._pieces = self._pieces
        if piece[max_bytes:]:
            self._pieces = [piece[max_bytes:], *self._pieces]
        return piece[:max_bytes]

    def read(self, max_bytes: int, timeout: Any = None) -> Any:
        return self.received(max_bytes)

    def write(self, data: bytes, timeout: Any = None) -> Any:
        pass

    def close(self) -> None:
        pass


class AsyncReceived(Received):
    """As `Received`."""

    async def read(self, max_bytes: int, timeout: Any = None) -> Any:  # noqa: ASYNC109  # httpcore's
        return self.received(max_bytes)

    async def write(self, data: bytes, timeout: Any = None) -> Any:  # noqa: ASYNC109
        pass

    async def aclose(self) -> None:
        pass


class Sent:
    """The body of a request, of both kinds."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"{}"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{}"


def request() -> httpcore.Request:
    body: Any = Sent()
    return httpcore.Request("POST", "http://host/v1/chat", headers=PLAIN, content=body)


def facts(response: httpcore.Response) -> list[Any]:
    extensions = response.extensions
    return [
        (response.status, response.headers),
        (extensions["http_version"], extensions["reason_phrase"]),
    ]


def outcome(connection: Any) -> list[Any]:
    """Head, body, error, and whether another request may follow."""
    found: list[Any] = []
    body = b""
    try:
        response = connection.handle_request(request())
        found += facts(response)
        for piece in response.stream:
            body += piece
        response.close()
    except httpcore.ProtocolError as exc:
        found.append((type(exc), str(exc)))
    return [*found, body, is_reusable(connection)]


async def async_outcome(connection: Any) -> list[Any]:
    """As `outcome`."""
    found: list[Any] = []
    body = b""
    try:
        response = await connection.handle_async_request(request())
        found += facts(response)
        async for piece in response.stream:
            body += piece
        await response.aclose()
    except httpcore.ProtocolError as exc:
        found.append((type(exc), str(exc)))
    return [*found, body, is_reusable(connection)]


def is_reusable(connection: Any) -> bool:
    if isinstance(connection, (httpcore.HTTP11Connection, httpcore.AsyncHTTP11Connection)):
        return connection.is_available() and not any(connection._h11_state.trailing_data)
    return bool(connection.is_available())


def pieces_of(data: bytes, cuts: Any) -> list[bytes]:
    ends = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


def damaged(data: bytes, damage: Any) -> bytes:
    if damage is None:
        return data
    place, length, new = damage
    place %= len(data) + 1
    return data[:place] + new + data[place + length :]


def check(kind: str, data: bytes, cuts: Any) -> None:
    stream: Any = Received if kind == "sync" else AsyncReceived
    pieces = pieces_of(data, cuts)
    streams = stream(pieces), stream(pieces)
    if kind == "sync":
        ours = HTTP11Connection(ORIGIN, CONTEXT, 5.0)
        ours.network_stream = streams[0]
        expected = outcome(httpcore.HTTP11Connection(ORIGIN, streams[1], 5.0))
        assert outcome(ours) == expected
    else:
        own = AsyncHTTP11Connection(ORIGIN, CONTEXT, 5.0)
        own.network_stream = streams[0]
        theirs = httpcore.AsyncHTTP11Connection(ORIGIN, streams[1], 5.0)
        assert asyncio.run(async_outcome(own)) == asyncio.run(async_outcome(theirs))
    assert streams[0].reads == streams[1].reads  # a read too many may wait for ever


HEAD = b"HTTP/1.1 200 OK\r\n"
STREAM = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("cuts", [[], range(1, 400), [-1], [-2]], ids=str)
@pytest.mark.parametrize("framing", CHUNKED + LENGTHS + ODD_FRAMINGS, ids=repr)
def test_each_body_is_what_h11_reads(kind: str, cuts: Any, framing: bytes) -> None:
    in_chunks = [
        b"".join([*chunks, last])
        for chunks in ([], [CHUNKS[0]], *([CHUNKS[0], odd] for odd in ODD_CHUNKS))
        for last in (b"0\r\n\r\n", *ODD_LAST_CHUNKS)
    ]
    for body in [b"hello", *ODD_BODIES, *(in_chunks if framing in CHUNKED[:1] else [])]:
        check(kind, HEAD + framing + b"\r\n\r\n" + body, cuts)


NEAR_HEADS = {
    "spaces": b"x:" + b" " * 65_000,
    "tabs": b"x: a" + b"\t " * 32_000 + b"\0",
    "words": b"x: " + b"a " * 32_000 + b"\0",
    "word": b"x:" + b"a" * 65_000 + b"\0",
    "name": b"x" * 65_000,
    "lines": b"a: b\r\n" * 10_000 + b"x",
    "lines of spaces": (b"a: " + b" " * 50 + b"b c d  \r\n") * 1_000 + b"\0",
    "empty lines": b"a:\r\n" * 16_000 + b"\0",
}


def test_plain_chunks_are_read_without_h11_wherever_they_are_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A long stream is cut at each place: h11 would read all the rest of it."""
    monkeypatch.delattr(http11, "_h11_awaiting_response")
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    for cut in range(len(body)):
        reader, found = ResponseReader(), b""
        assert reader.read_head(head + body[:cut])
        for piece in (body[cut : cut + 1], body[cut + 1 :]):
            while data := reader.read_body():
                found += data
            if piece:
                reader.receive(piece)
        while data := reader.read_body():
            found += data
        assert (found, data, reader.leaves_reusable()) == (b"hello!", None, True)


@pytest.mark.parametrize("name", NEAR_HEADS)
def test_a_head_that_is_nearly_plain_is_judged_in_linear_time(name: str) -> None:
    """4 ms each; were it by the square of the length, many seconds."""
    for head in (HEAD, b"HTTP/1.1 200 "):
        start_s = time.process_time()
        assert ResponseReader()._read_plain_head(head + NEAR_HEADS[name]) is None
        assert time.process_time() - start_s < 0.5


@pytest.mark.parametrize("kind", ["sync", "async"])
@given(data=RESPONSES, damage=DAMAGE, cuts=CUTS)
@example(data=HEAD + b"x: " + b"y" * 200_000, damage=None, cuts=[])
@example(data=HEAD + b"x: " + b"y" * 60_000 + b"\r\n\r\n", damage=None, cuts=[])
@example(data=HEAD + b"x:" + b" " * 60_000, damage=None, cuts=[])
@example(data=STREAM, damage=None, cuts=range(1, 400))
@example(data=STREAM, damage=(STREAM.index(b"hello") + 5, 2, b"XX"), cuts=[])
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_the_response_that_h11_reads(
    kind: str, data: bytes, damage: Any, cuts: Any
) -> None:
    check(kind, damaged(data, damage), cuts)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["sync", "async"])
@given(data=RESPONSES, damage=DAMAGE, cuts=CUTS)
@settings(max_examples=5_000, deadline=None)
def test_many_bytes_are_the_responses_that_h11_reads(
    kind: str, data: bytes, damage: Any, cuts: Any
) -> None:
    check(kind, damaged(data, damage), cuts)
