"""HTTP/1.1 connections: h11 over asyncio streams, and the faults that act on bytes."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

if sys.platform == "linux":
    import fcntl
    import termios

try:
    import h11
except ImportError as exc:  # pragma: no cover - the extra brings it
    raise ImportError(
        "aimlapi_emulator needs h11: pip install 'aimlapi-integrations[emulator]'"
    ) from exc

from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.faults.fault import NO_FAULT, Fault
from aimlapi_emulator.messages import Request, Response
from aimlapi_emulator.server.body import MAX_BODY
from aimlapi_emulator.server.origin import why_refused
from aimlapi_emulator.server.response_bytes import (
    batched_events,
    final_body,
    header_list,
    split_writes,
    truncate,
)

_READ_SIZE = 65_536
_LARGE = 1_000_000
_LOG = logging.getLogger("aimlapi_emulator")


class Host(Protocol):
    """The part of the emulator that a connection calls."""

    host: str
    """The address that it listens on."""

    def next_fault(self) -> Fault | None:
        """The queued fault for the POST that has just begun."""

    def respond(self, request: Request, connection: int, fault: Fault | None) -> Response:
        """The response to a complete request, which is recorded."""

    def answering(self) -> AbstractContextManager[None]:
        """Entered while a complete request is answered."""

    def note_dropped(self, request: Request, connection: int) -> None:
        """Record a complete request that gets no response."""


class _ConnectionClosed(Exception):
    """The connection is closed."""


class Connection:
    """One client connection. `serve` once; it returns when the connection is closed."""

    def __init__(
        self, host: Host, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._host = host
        self._number = number
        self._is_head = False
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)
        raw = writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def serve(self) -> None:
        """Answer requests until either side closes."""
        try:
            while True:
                await self._handle_request()
                if (
                    self._http.our_state is h11.MUST_CLOSE
                    or self._http.their_state is h11.MUST_CLOSE
                ):
                    break
                self._http.start_next_cycle()
        except (_ConnectionClosed, ConnectionError, h11.LocalProtocolError):
            pass
        except h11.RemoteProtocolError as exc:
            _LOG.warning("not an HTTP/1.1 request: %s", exc)
        finally:
            self._writer.close()

    async def _next_event(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    self._writer.write(self._http.send(go_on) or b"")
                data = await self._reader.read(_READ_SIZE)
                self._http.receive_data(data)
                continue
            if event is h11.PAUSED:
                raise _ConnectionClosed
            assert not isinstance(event, type)  # the two sentinels are handled above
            return event

    async def _handle_request(self) -> None:
        head = await self._next_event()
        if not isinstance(head, h11.Request):
            raise _ConnectionClosed
        method = head.method.decode()
        self._is_head = method == "HEAD"
        headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        refused = why_refused(headers, self._host.host)
        if refused is not None:  # before it can take a fault, and not recorded
            _LOG.warning("refused: %s", refused)
            await self._read_body()
            await self._send(forbidden(head.target.decode(), refused))
            return
        fault = self._host.next_fault() if method == "POST" else None
        if fault is not None and fault.drop == "before_read":
            self._close(fault.drop_with)
        content = await self._read_body()
        request = Request(
            method,
            head.target.decode(),
            headers,
            content or b"",
            is_too_long=content is None,
        )
        if fault is not None and fault.drop == "after_read":
            self._host.note_dropped(request, self._number)
            self._close(fault.drop_with)
        with self._host.answering():
            await self._send(self._host.respond(request, self._number, fault))

    async def _read_body(self) -> bytes | None:
        """The content; None, once all of it was received, for more than the emulator reads."""
        parts: list[bytes] = []
        size = 0
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                size += len(event.data)
                if size <= MAX_BODY:
                    parts.append(bytes(event.data))
                else:
                    parts.clear()
            elif isinstance(event, h11.EndOfMessage):
                return b"".join(parts) if size <= MAX_BODY else None
            else:
                raise _ConnectionClosed

    def _close(self, way: str) -> None:
        """Close without another byte, with FIN or RST; never returns."""
        if way == "rst":
            raw = self._writer.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        raise _ConnectionClosed

    async def _send(self, out: Response) -> None:
        fault = out.fault
        if fault.drop is not None:  # of a directive or rule: known only after the body was read
            self._close(fault.drop_with)
        for status in fault.interim:
            self._writer.write(self._http.send(_interim_response(status)) or b"")
        streamed = out.events is not None
        wait = fault.delay_head_s + out.latency.before_s(0 if streamed else out.tokens)
        if wait:
            await asyncio.sleep(wait)
        out = final_body(out)
        head = (
            self._http.send(h11.Response(status_code=out.status, headers=header_list(out))) or b""
        )
        if self._is_head:
            out = replace(out, body=b"", events=None)
        if fault is NO_FAULT and not (streamed and out.latency.tokens_per_second):
            large = out.events is None and len(out.body) > _LARGE
            await (self._send_large(head, out.body) if large else self._send_at_once(head, out))
            return
        await self._send_in_pieces(head, out)

    async def _send_at_once(self, head: bytes, out: Response) -> None:
        sent = [
            head,
            *(self._http.send(h11.Data(data=block)) or b"" for block in batched_events(out)),
        ]
        sent.append(self._http.send(h11.EndOfMessage()) or b"")
        self._writer.write(b"".join(sent))
        await self._writer.drain()

    async def _send_large(self, head: bytes, body: bytes) -> None:
        """Send without copies of the whole body."""
        self._writer.write(head)
        for start in range(0, len(body), _LARGE):
            data = self._http.send(h11.Data(data=body[start : start + _LARGE]))
            self._writer.write(data or b"")
            await self._writer.drain()
        self._writer.write(self._http.send(h11.EndOfMessage()) or b"")
        await self._writer.drain()

    async def _send_in_pieces(self, head: bytes, out: Response) -> None:
        fault = out.fault
        self._writer.write(head)
        await self._writer.drain()
        if fault.delay_body_s:
            await asyncio.sleep(fault.delay_body_s)
        body, was_cut = truncate(out)
        pieces = list(split_writes(body, fault))
        gaps = [0.0] * len(pieces)
        if out.events is not None:
            gaps = out.latency.gaps_s(pieces, out.tokens)
        flushed = bool(
            any(gaps) or fault.delay_between_s or fault.piece_size or fault.split_characters
        )
        clock = asyncio.get_running_loop().time
        due = clock()
        for index, (piece, gap) in enumerate(zip(pieces, gaps, strict=True)):
            due += gap  # from the beginning, so that late wake-ups do not add up
            pause = max(due - clock() if gap else 0.0, fault.delay_between_s if index else 0.0)
            if pause > 0:
                await asyncio.sleep(pause)
            self._writer.write(self._http.send(h11.Data(data=piece)) or b"")
            if flushed:
                await self._writer.drain()
                await asyncio.sleep(0)
        await self._writer.drain()
        if not was_cut or fault.drop_with == "end":
            self._writer.write(self._http.send(h11.EndOfMessage()) or b"")
            await self._writer.drain()
        if fault.close_after or (was_cut and fault.drop_with != "end"):
            if fault.drop_with == "rst":
                await self._wait_until_acknowledged()
            self._close(fault.drop_with)

    async def _wait_until_acknowledged(self) -> None:
        """Wait until the peer's kernel has acknowledged all data: an RST discards data in flight.

        On Linux the peer may still read it after the RST. Other systems discard unread data, and
        have no way to query it: there the peer gets a moment.
        """
        transport = self._writer.transport
        transport.set_write_buffer_limits(0)
        await self._writer.drain()
        if sys.platform != "linux":
            await asyncio.sleep(0.01)
        raw = transport.get_extra_info("socket")
        while not transport.is_closing() and _unacknowledged(raw):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.001)


def _unacknowledged(raw: socket.socket) -> bool:
    """Whether written data is not yet acknowledged (`SIOCOUTQ` in tcp(7))."""
    if sys.platform == "linux":
        return any(fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, bytes(4)))
    return False


def _interim_response(status: int) -> h11.InformationalResponse:
    hints = [("link", "</hint>; rel=preload")] if status == 103 else []
    reason = {100: b"Continue", 103: b"Early Hints"}.get(status, b"Interim")
    return h11.InformationalResponse(status_code=status, headers=hints, reason=reason)


def forbidden(target: str, reason: str) -> Response:
    """The 403 response to a request that no program of this machine sends."""
    body = error_bodies.problem(403, reason, target.split("?", 1)[0], "emulator")
    return Response(403, {"content-type": error_bodies.PROBLEM_TYPE}, error_bodies.dump(body))


def internal_error(request: Request, exc: Exception) -> Response:
    """The 500 response to an exception in the emulator, which is logged with its traceback."""
    _LOG.error("the emulator failed on %s %s", request.method, request.path, exc_info=exc)
    message = f"The emulator itself failed: {type(exc).__name__}: {exc}"
    body, content_type = error_bodies.body("legacy", 500, message, request.path, "emulator")
    return Response(500, {"content-type": content_type}, body)
