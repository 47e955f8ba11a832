"""Server-sent events (SSE) decoder: bytes to event names and data payloads. No I/O.

Lines end with LF, CR or CRLF, an event ends with an empty line, several `data:` lines of one
event are joined by LF; comments, `id:` and `retry:` are ignored
(https://html.spec.whatwg.org/multipage/server-sent-events.html, seen 2026-11-23).

Unlike the specification, `close()` returns an event without its terminating empty line, as some
servers omit it; whether the stream is complete is decided by the reader of the payloads.
"""

from __future__ import annotations

from codecs import BOM_UTF8

_DATA_PREFIX_LENGTH = len(b"data: ")


_KEEP_ALIVES = frozenset("ping pong keepalive keep-alive keep_alive heartbeat".split())


def is_keep_alive(name: str, data: str) -> bool:
    """Whether a payload that is no JSON object is a keep-alive, by its event name or its one word.

    Servers send `data: null`, `data: ping`, `event: ping`.
    """
    if name == "error":
        return False
    word = data.strip().strip('"').lower()
    return name.lower() in _KEEP_ALIVES or word in _KEEP_ALIVES or word == "null"


def _is_single_event(piece: bytes) -> bool:
    """Fast path: whether the piece is exactly one event with one `data:` line, as most are."""
    return (
        piece.startswith(b"data: ")
        and piece.find(b"\n") == len(piece) - 2
        and piece.endswith(b"\n\n")
        and b"\r" not in piece
    )


class SSEDecoder:
    """Feed it the pieces of the body, then close it once."""

    __slots__ = ("_at_start", "_data", "_event", "_skip_lf", "_tail")

    def __init__(self) -> None:
        self._tail = bytearray()  # an incomplete line
        self._skip_lf = False  # the last line ended with CR: a following LF is part of it
        self._data: list[bytes] = []
        self._event = b""
        self._at_start = True

    def feed(self, piece: bytes) -> list[tuple[str, str]]:
        """(event name, payload) of each event that this piece completes; the name may be ""."""
        is_between_events = not (self._tail or self._data or self._skip_lf or self._event)
        if is_between_events and _is_single_event(piece):
            self._at_start = False
            return [("", piece[_DATA_PREFIX_LENGTH:-2].decode("utf-8", "replace"))]
        if self._skip_lf and piece:
            self._skip_lf = False
            piece = piece.removeprefix(b"\n")
        if b"\n" not in piece and b"\r" not in piece:
            self._tail += piece
            return []
        buffer = bytes(self._tail) + piece
        if b"\r" in buffer:
            self._skip_lf = buffer.endswith(b"\r")
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, tail = buffer.split(b"\n")
        self._tail = bytearray(tail)
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(BOM_UTF8)
        return self._events(lines)

    def close(self) -> list[tuple[str, str]]:
        """The last event, if it lacks its empty line: at most one."""
        tail, self._tail = bytes(self._tail), bytearray()
        if self._at_start:
            tail = tail.removeprefix(BOM_UTF8)
        return self._events([tail, b""] if tail else [b""])

    @property
    def is_inside_event(self) -> bool:
        """Whether an event, other than a comment, is incomplete."""
        return bool(self._data) or (bool(self._tail) and not self._tail.startswith(b":"))

    def _events(self, lines: list[bytes]) -> list[tuple[str, str]]:
        events = []
        for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            elif name == b"event":
                self._event = value.removeprefix(b" ")
            elif not line:
                if self._data:
                    payload = b"\n".join(self._data).decode("utf-8", "replace")
                    events.append((self._event.decode("utf-8", "replace"), payload))
                    self._data = []
                self._event = b""
        return events
