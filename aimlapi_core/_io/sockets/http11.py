"""HTTP/1.1 without I/O: the bytes of a plain request, and of the response to it.

What nearly all servers send is read here: a head that is received at once, exactly one
`Content-Length` or `Transfer-Encoding: chunked`, chunks without extensions, no trailers. Whatever
differs from that by a byte is read by h11, from there to the end of the response: so h11 says what
is an error, in its words. `tests/fuzz/test_http11.py` asserts that both give the same.

Imported with the first call, as h11 and httpcore are.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import h11
import httpcore

_MOST_INCOMPLETE_BYTES = 100 * 1024  # of a head that is received in parts; as in httpcore
_MOST_JOINED_BYTES = 64 * 1024

_NAME = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
_VALUE = rb"[^\x00\s]+(?:[ \t]+[^\x00\s]+)*"  # with control characters, as in h11
_LINE = rb"%b:[ \t]*(?:%b[ \t]*)?\r\n" % (_NAME, _VALUE)

# A request is plain if no header of it changes what its response means.
_METHODS = (b"GET", b"POST")
_TARGET = re.compile(rb"[!-~]+")
_SPECIAL = rb"(?:connection|content-length|expect|host|transfer-encoding|upgrade):"
_OTHERS = rb"(?:connection: keep-alive\r\n|(?!%b)%b)*" % (_SPECIAL, _LINE)
_REQUEST_HEADERS = re.compile(
    rb"(?=host:)%b%b(?:content-length: ([0-9]{1,20})\r\n%b)?" % (_LINE, _OTHERS, _OTHERS),
    re.IGNORECASE,
)

_RESPONSE = re.compile(
    rb"HTTP/1\.1 ([2-9][0-9][0-9])(?: ([^\x00\n\v\f\r]*))?\r\n((?:%b)*)\r\n" % _LINE
)
# Over what matched above: elsewhere it would take quadratic time to find none.
_HEADER = re.compile(rb"(%b):[ \t]*(?:(%b)[ \t]*)?\r\n" % (_NAME, _VALUE))
_FRAMING = (b"content-length", b"transfer-encoding")
_LENGTH = re.compile(rb"[0-9]{1,20}")
_WITHOUT_BODY = (204, 304)

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,20})\r\n")
_CHUNK_BEGINNING = re.compile(rb"[0-9A-Fa-f]{0,20}\r?")


class RequestHead(NamedTuple):
    """The bytes of a request's head, and the length that it gives for the body."""

    data: bytes
    content_length: int


def request_head(request: httpcore.Request) -> RequestHead | None:
    """The head of a plain request; None for another one, or one that must not be sent."""
    method, target = request.method, request.url.target
    headers = b"".join([b"%b: %b\r\n" % header for header in request.headers])
    plain = _REQUEST_HEADERS.fullmatch(headers)
    if plain is None or method not in _METHODS or not _TARGET.fullmatch(target):
        return None
    # Read as a server reads them: none holds another one, in its name or its value.
    if _HEADER.findall(headers) != request.headers:
        return None
    data = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, headers)
    return RequestHead(data, int(plain[1] or 0))


class RequestBytes:
    """The bytes of a request, to be written: a small body with the head, a large one by itself."""

    def __init__(self, head: RequestHead) -> None:
        self._pending, self._left = head

    def add(self, piece: bytes) -> bytes:
        """What to write now, given a piece of the body."""
        self._left -= len(piece)
        if self._left < 0:
            raise httpcore.LocalProtocolError("Too much data for declared Content-Length")
        if len(self._pending) + len(piece) <= _MOST_JOINED_BYTES:
            self._pending += piece
            return b""
        data, self._pending = self._pending, piece
        return data

    def end(self) -> bytes:
        """What to write last."""
        if self._left:
            raise httpcore.LocalProtocolError("Too little data for declared Content-Length")
        return self._pending


class ResponseHead(NamedTuple):
    """A status line and headers, as received."""

    http_version: bytes
    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]


class ResponseReader:
    """Reads the response to a plain request: its head, then its body, then nothing more.

    Its methods raise httpcore.RemoteProtocolError.
    """

    def __init__(self, *, is_request_sent: bool = True) -> None:
        self._is_keep_alive = is_request_sent
        self._received = b""  # of the body, and not yet read
        self._length = self._left = 0  # of a body with a length
        self._chunked_head = b""  # the head of a response in chunks
        self._line_end_due = b""  # of a chunk whose data were all read
        self._is_complete = False
        self._h11: h11.Connection | None = None

    def read_head(self, received: bytes) -> ResponseHead | None:
        """The head, if it ends in what was received; b"" is the end of the connection."""
        if not received:
            raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
        if self._h11 is None:
            if (head := self._read_plain_head(received)) is not None:
                return head
            self._h11 = _h11_awaiting_response()
        self._h11.receive_data(received)
        while (event := self._next_event()) is not h11.NEED_DATA:
            if type(event) is h11.Response:
                version, headers = b"HTTP/" + event.http_version, event.headers.raw_items()
                return ResponseHead(version, event.status_code, event.reason, headers)
        return None

    def _read_plain_head(self, received: bytes) -> ResponseHead | None:
        plain = _RESPONSE.match(received)
        if plain is None:
            return None
        status, headers = int(plain[1]), _HEADER.findall(plain[3])
        framing = [header for header in headers if header[0].lower() in _FRAMING]
        if len(framing) != 1 or status in _WITHOUT_BODY:
            return None
        ((name, value),) = framing
        if name.lower() == b"content-length" and _LENGTH.fullmatch(value):
            self._length = self._left = int(value)
            self._is_complete = not self._left
        elif value == b"chunked" and name.lower() == b"transfer-encoding":
            self._chunked_head = plain[0]
        else:
            return None
        self._is_keep_alive = self._is_keep_alive and not _names_close(headers)
        self._received = received[plain.end() :]
        return ResponseHead(b"HTTP/1.1", status, plain[2] or b"", headers)

    def receive(self, received: bytes) -> None:
        """Take what was received of the body; b"" is the end of the connection."""
        if self._h11 is not None:
            self._h11.receive_data(received)
        elif received:
            self._received += received
        elif self._chunked_head:
            self._hand_over().receive_data(b"")
        else:
            raise httpcore.RemoteProtocolError(
                "peer closed connection without sending complete message body "
                f"(received {self._length - self._left} bytes, expected {self._length})"
            )

    def read_body(self) -> bytes | None:
        """What was received of the body and not yet read, b"" if nothing was; None at its end."""
        if self._h11 is not None:
            return self._read_by_h11()
        if self._is_complete:
            return None
        if self._chunked_head:
            return self._read_chunks()
        data, self._received = self._received[: self._left], self._received[self._left :]
        self._left -= len(data)
        self._is_complete = not self._left
        return data

    def _read_chunks(self) -> bytes | None:
        """As `read_body`: the data of all chunks that were received, and of a part of one."""
        received, found, at = self._received, [], 0
        if due := self._line_end_due:
            if not received or (received, due) == (b"\r", b"\r\n"):  # nothing, or half of it
                self._line_end_due, self._received = due[len(received) :], b""
                return b""
            if not received.startswith(due):
                return self._read_rest_by_h11()
            self._line_end_due, at = b"", len(due)
        while chunk := _CHUNK.match(received, at):
            start = chunk.end()
            end = start + int(chunk[1], 16)
            if end == start or received[end : end + 2] != b"\r\n":
                break
            found.append(received[start:end])
            at = end + 2
        self._received = received[at:]
        if chunk is None:
            is_plain = _CHUNK_BEGINNING.fullmatch(received, at) is not None
        elif end == start:
            self._is_complete = received.startswith(b"\r\n", end)
            if self._is_complete:
                self._received = received[end + 2 :]
            is_plain = self._is_complete or received[end:] in (b"", b"\r")
        else:
            is_plain = True
            found.append(received[start:end])
            if len(received) >= end:
                self._line_end_due, self._received = b"\r\n", received[end:]
            else:  # the rest is a chunk too
                self._received = b"%x\r\n" % (end - len(received))
        data = b"".join(found)
        if data:
            return data  # and what follows it next time
        if not is_plain:
            return self._read_rest_by_h11()
        return None if self._is_complete else b""

    def _read_rest_by_h11(self) -> bytes | None:
        self._hand_over()
        return self._read_by_h11()

    def _hand_over(self) -> h11.Connection:
        """Let h11 read what was received and not yet read, as if it stood behind the head."""
        self._h11 = connection = _h11_awaiting_response()
        before = self._chunked_head
        if due := self._line_end_due:  # to h11 it is that of a chunk of one byte
            before += b"1\r\n." + b"\r\n".removesuffix(due)
        connection.receive_data(before)
        while connection.next_event() is not h11.NEED_DATA:
            pass  # the head, and the one byte, which were read
        if self._received:
            connection.receive_data(self._received)
        return connection

    def _read_by_h11(self) -> bytes | None:
        event = self._next_event()
        if type(event) is h11.Data:
            return bytes(event.data)
        return b"" if event is h11.NEED_DATA else None

    def _next_event(self) -> Any:
        assert self._h11 is not None
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as exc:
            raise httpcore.RemoteProtocolError(exc) from exc

    def leaves_reusable(self) -> bool:
        """Whether another request may follow: all of the response was read, and no more came."""
        if not self._is_keep_alive:
            return False
        if self._h11 is None:
            return self._is_complete and not self._received
        is_done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        return is_done and self._h11.trailing_data == (b"", False)


def _names_close(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a `Connection` header holds the word close."""
    return any(
        b"close" in [word.strip() for word in value.lower().split(b",")]
        for name, value in headers
        if name.lower() == b"connection"
    )


def _h11_awaiting_response() -> h11.Connection:
    """h11, by which a request was sent that has no part in how its response is read."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_INCOMPLETE_BYTES)
    connection.send(h11.Request(method="POST", target="/", headers=[("Host", "")]))
    connection.send(h11.EndOfMessage())
    return connection
