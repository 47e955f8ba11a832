"""Server-sent events: bytes in, data payloads out. No I/O.

Lines end at LF, CR or CRLF, a payload ends at an empty line, several `data:` lines of one
event are joined by LF; comments, `id:` and `retry:` are passed over
(https://html.spec.whatwg.org/multipage/server-sent-events.html, seen 2026-11-23).

Not as the specification has it: an event whose last empty line never came is still given out
by `close()`, for a server that ends without it has sent the whole line all the same; whether
the stream itself is whole is for the reader of the payloads to say.
"""

from __future__ import annotations

from codecs import BOM_UTF8

_DATA_PREFIX_LENGTH = len(b"data: ")


def _is_single_event(piece: bytes) -> bool:
    """Whether a piece is one event of one `data:` line, as servers write and send most of them."""
    return (
        piece.startswith(b"data: ")
        and piece.find(b"\n") == len(piece) - 2
        and piece.endswith(b"\n\n")
        and b"\r" not in piece
    )


class SSEDecoder:
    """Feed it bytes as they come; close it at the end of the body."""

    __slots__ = ("_at_start", "_data", "_event", "_skip_lf", "_tail")

    def __init__(self) -> None:
        self._tail = bytearray()  # the line that has not ended yet
        self._skip_lf = False  # the last line ended at CR: an LF that follows belongs to it
        self._data: list[bytes] = []
        self._event = b""
        self._at_start = True

    def feed(self, piece: bytes) -> list[tuple[str, str]]:
        """(event name, payload) of every event that ends in this piece; the name may be ""."""
        if not (self._tail or self._data or self._skip_lf or self._event) and _is_single_event(
            piece
        ):
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
        """What the end of the body leaves behind: at most one event."""
        tail, self._tail = bytes(self._tail), bytearray()
        if self._at_start:
            tail = tail.removeprefix(BOM_UTF8)
        return self._events([tail, b""] if tail else [b""])

    @property
    def is_inside_event(self) -> bool:
        """Whether something other than a comment has begun and not ended."""
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
