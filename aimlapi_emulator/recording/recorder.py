"""Passes a program's calls on to the service and keeps each as a cassette; answers from these."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from aimlapi_emulator.recording.cassettes import Exchange, describe_nearest, read, write
from aimlapi_emulator.recording.server import Call, RecordingServer

# Headers of the hop itself; and, of requests, those that say whose call it is.
_OF_HOP = frozenset(
    "connection keep-alive transfer-encoding trailer upgrade content-length".split()
)
_NOT_PASSED = _OF_HOP | frozenset(
    "host proxy-connection te expect accept-encoding authorization proxy-authorization x-api-key "
    "api-key cookie openai-organization openai-project".split()
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
        self._own = {"accept-encoding": "identity", "authorization": f"Bearer {key}"}
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
        with self.ended:
            self._count += 1 if kept else 0
            number = self._count
        headers = {n: v for n, v in call.headers.items() if n.lower() not in _NOT_PASSED}
        headers |= self._own
        url = f"{self._upstream}{call.path}"
        try:
            with self._client.stream(call.command, url, headers=headers, content=content) as got:
                exchange = _pass_back(call, content, got)
        except httpx.ConnectError as exc:
            self.log(f"{url}: {exc}")
            call.refuse(502, f"The recorder cannot reach {self._upstream}: {exc}")
        except httpx.HTTPError as exc:
            self.log(f"{call.command} {call.path}: no answer came ({exc}); nothing is kept")
            call.finish_answer("reset" if isinstance(exc, httpx.ReadError) else "closed")
        else:
            if kept:
                self._keep(number, exchange.redacted(self.secrets))
            self.log(f"{exchange.status} {call.command} {call.path} {exchange.end}")


def _pass_back(call: Call, content: bytes, got: httpx.Response) -> Exchange:
    """Send the service's answer on as it comes. It is read to its end, also if the client left."""
    size = int(got.headers["content-length"]) if "content-length" in got.headers else None
    status, reason = got.status_code, got.reason_phrase
    call.begin(status, reason, [h for h in got.headers.multi_items() if h[0] not in _OF_HOP], size)
    body, end, last = bytearray(), "complete", time.monotonic()
    pieces: list[int] = []
    delays_s: list[float] = []
    try:
        for data in got.iter_raw():
            delays_s.append(round(time.monotonic() - last, 4))
            last = time.monotonic()
            pieces.append(len(data))
            body += data
            call.piece(data)
    except httpx.HTTPError as exc:
        end = "reset" if isinstance(exc, httpx.ReadError) else "closed"
    call.finish_answer(end)
    answer = (status, reason, dict(got.headers), bytes(body), size, pieces, delays_s, end)
    return Exchange(call.command, call.path, content, *answer)


def keep_in(folder: Path) -> Callable[[int, Exchange], None]:
    """Writes each exchange to a cassette of its own. Raises ValueError if the folder has some."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.y*ml")):
        raise ValueError(f"{folder} holds cassettes already: record into another, or remove them")

    def keep(number: int, exchange: Exchange) -> None:
        word = exchange.target.partition("?")[0].rstrip("/").rsplit("/", 1)[-1]
        write(folder / f"{number:04d}-{word}.yaml", [exchange])

    return keep


class Replayer(RecordingServer):
    """Answers from cassettes. The same request again gets the next answer, at last the last one.

    Raises:
        ValueError: for a folder without cassettes, or a file that is none.
    """

    def __init__(self, folder: Path, *, with_delays: bool = False, **given: Any) -> None:
        self._recorded = [one for path in sorted(folder.glob("*.y*ml")) for one in read(path)]
        if not self._recorded:
            raise ValueError(f"{folder} holds no cassettes")
        super().__init__(**given)
        self._with_delays = with_delays
        self._answers: dict[Any, list[Exchange]] = defaultdict(list)
        for one in self._recorded:
            self._answers[one.key].append(one)

    def answer(self, call: Call, content: bytes) -> None:
        """Answer as it was answered, or say what was recorded that is nearest."""
        asked = Exchange(call.command, call.path, content).redacted(self.secrets)
        with self.ended:
            answers = self._answers.get(asked.key, [])
            found = answers.pop(0) if len(answers) > 1 else answers[0] if answers else None
        if found is None:
            nearest = describe_nearest(asked, self._recorded)
            message = f"No recorded request matches this {call.command} {call.path}: {nearest}."
            self.log(message)
            call.refuse(400, message)
            return
        self.log(f"{found.status} {call.command} {call.path} from {found.name}")
        call.begin(found.status, found.reason, found.headers.items(), found.announced_size)
        for piece, delay_s in found.timed_pieces():
            time.sleep(delay_s if self._with_delays else 0)
            call.piece(piece)
        call.finish_answer(found.end)
