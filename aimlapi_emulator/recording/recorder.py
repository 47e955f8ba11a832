"""Passes a program's calls on to the service, and keeps each exchange as a cassette."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from aimlapi_emulator.recording.cassettes import Exchange, write
from aimlapi_emulator.recording.server import Call, RecordingServer

# What a request to the service does not take over: the hop's own, and whose call it is.
_NOT_PASSED = frozenset(
    "host connection keep-alive proxy-connection transfer-encoding te trailer upgrade expect "
    "content-length accept-encoding authorization proxy-authorization x-api-key api-key cookie "
    "openai-organization openai-project".split()
)
_NOT_RETURNED = frozenset(
    "connection keep-alive transfer-encoding trailer upgrade content-length".split()
)
_TIMEOUT = httpx.Timeout(600, connect=30)
_KEPT_PATHS = re.compile(r"(?:/v1)?/(?:chat/completions|responses|embeddings|models)(?:\?.*)?")


class Recorder(RecordingServer):
    """Passes calls on to the service with the user's key; `keep` gets each exchange when it ends.

    Exchanges are numbered in the order of their requests. Calls of the account, and requests that
    got no answer at all, are not kept.
    """

    def __init__(
        self, upstream: str, key: str, keep: Callable[[int, Exchange], None], **given: Any
    ) -> None:
        super().__init__(**given)
        self.secrets.append(re.compile(re.escape(key.encode())))
        self._upstream = upstream.rstrip("/").removesuffix("/v1")
        self._key = key
        self._keep = keep
        self._count = 0
        self._client = httpx.Client(timeout=_TIMEOUT)

    def stop(self) -> None:
        """Stop serving and close the connections to the service."""
        super().stop()
        self._client.close()

    def answer(self, call: Call, content: bytes) -> None:
        """Pass a call on, its answer back piece by piece, and keep both."""
        kept = _KEPT_PATHS.fullmatch(call.path)
        with self.lock:
            self._count += 1 if kept else 0
            number = self._count
        headers = {n: v for n, v in call.headers.items() if n.lower() not in _NOT_PASSED}
        headers |= {"accept-encoding": "identity", "authorization": f"Bearer {self._key}"}
        url = f"{self._upstream}{call.path}"
        try:
            with self._client.stream(
                call.command, url, headers=headers, content=content
            ) as response:
                exchange = self._pass_back(call, content, response)
        except httpx.ConnectError as exc:
            self.log(f"{url}: {exc}")
            call.refuse(502, f"The recorder cannot reach {self._upstream}: {exc}")
            return
        except httpx.HTTPError as exc:
            self.log(f"{call.command} {call.path}: no answer came ({exc}); nothing is kept")
            call.finish_answer("reset" if isinstance(exc, httpx.ReadError) else "closed")
            return
        if kept:
            self._keep(number, exchange.redacted(self.secrets))
        self.log(f"{exchange.status} {call.command} {call.path} {exchange.end}")

    def _pass_back(self, call: Call, content: bytes, response: httpx.Response) -> Exchange:
        announced = response.headers.get("content-length")
        size = int(announced) if announced is not None else None
        returned = [
            (n, v) for n, v in response.headers.multi_items()
            if n not in _NOT_RETURNED and n != "content-length"
        ]  # fmt: skip
        pieces: list[bytes] = []
        delays: list[float] = []
        end, last = "complete", time.monotonic()
        client = _Quiet(call)
        client.send(call.begin, response.status_code, response.reason_phrase, returned, size)
        try:
            for data in response.iter_raw():
                delays.append(time.monotonic() - last)
                last = time.monotonic()
                pieces.append(data)
                client.send(call.piece, data)
        except httpx.HTTPError as exc:
            end = "reset" if isinstance(exc, httpx.ReadError) else "closed"
        client.send(call.finish_answer, end)
        return Exchange(
            call.command,
            call.path,
            content,
            response.status_code,
            response.reason_phrase,
            dict(response.headers),
            tuple(pieces),
            tuple(delays),
            end,
            size is not None,
            size or 0,
        )


class _Quiet:
    """Sends to a client until it leaves: the service's answer is kept to its end all the same."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._is_there = True

    def send(self, write: Callable[..., None], *given: Any) -> None:
        """Call a method of the connection, if the client is still there."""
        if self._is_there:
            try:
                write(*given)
            except OSError:
                self._is_there = False
                self._call.close_connection = True


def keep_in(folder: Path) -> Callable[[int, Exchange], None]:
    """Writes each exchange to a cassette of its own. Raises ValueError if the folder has some."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.y*ml")):
        raise ValueError(f"{folder} holds cassettes already: record into another, or remove them")

    def keep(number: int, exchange: Exchange) -> None:
        word = exchange.target.partition("?")[0].rstrip("/").rsplit("/", 1)[-1]
        write(folder / f"{number:04d}-{word}.yaml", [exchange])

    return keep
