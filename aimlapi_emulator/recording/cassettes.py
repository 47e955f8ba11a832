"""Exchanges as vcrpy cassettes: what is kept of one, and how requests are matched.

Of headers only those listed here are kept, so that no key, cookie or account slips in with a new
one. Under `recording`, a key of `response` that vcrpy ignores, are the sizes of the pieces that
came, the seconds before each, and how the answer ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HOST = "https://api.aimlapi.com"
_KEPT_HEADERS = frozenset(
    "content-type content-encoding date server retry-after x-request-id x-inference-id "
    "x-aimlapi-credits-used x-aimlapi-usd-spent".split()
)
# Ids that a client or a framework generates in each run.
_IDS = frozenset(
    "id call_id tool_call_id item_id previous_response_id request_id session_id run_id thread_id "
    "safety_identifier prompt_cache_key".split()
)
_MAX_DIFFERENCES = 5
_REDACTED = b"REDACTED"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, which came in pieces."""

    method: str
    target: str
    request: bytes
    status: int
    reason: str
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]
    delays_s: tuple[float, ...] = ()
    """Seconds before each piece."""
    end: str = "complete"
    """`complete`; `closed` or `reset` when the connection ended before the answer did."""
    is_sized: bool = False
    """Whether the answer's length was announced."""
    size: int = 0
    """The announced length."""
    name: str = ""
    """The cassette that it was read from."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What a request is matched by: method, path, body as JSON without changing ids."""
        body = json.dumps(comparable(self.request), sort_keys=True, default=repr)
        return self.method, self.target, body

    def redacted(self, secrets: Iterable[re.Pattern[bytes]]) -> Exchange:
        """The exchange with each match in its bodies replaced."""
        request, body = self.request, b"".join(self.pieces)
        for secret in secrets:
            request, body = secret.sub(_REDACTED, request), secret.sub(_REDACTED, body)
        if body == b"".join(self.pieces):
            return replace(self, request=request)
        sizes = [len(piece) for piece in self.pieces]
        return replace(self, request=request, pieces=tuple(_cut(body, sizes)), size=len(body))


def _cut(body: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The body in pieces of these sizes, what is left in the last."""
    for size in sizes[:-1]:
        yield body[:size]
        body = body[size:]
    if sizes:
        yield body


def comparable(body: bytes) -> Any:
    """A request's body as JSON without the ids that change, else the bytes."""
    try:
        return _without_ids(json.loads(body))
    except (ValueError, RecursionError):
        return body


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ids(one) for name, one in value.items() if name not in _IDS}
    return [_without_ids(one) for one in value] if isinstance(value, list) else value


def write(path: Path, exchanges: Iterable[Exchange]) -> None:
    """Write exchanges as one cassette."""
    import yaml

    data = {"interactions": [_interaction(one) for one in exchanges], "version": 1}
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=None)
    path.write_text(text, encoding="utf-8")


def _interaction(exchange: Exchange) -> dict[str, Any]:
    kept = {n.lower(): [v] for n, v in exchange.headers.items() if n.lower() in _KEPT_HEADERS}
    recording = {
        "pieces": [len(piece) for piece in exchange.pieces],
        "delays_s": [round(delay, 4) for delay in exchange.delays_s],
        "end": exchange.end,
        "announced_size": exchange.size if exchange.is_sized else None,
    }
    return {
        "request": {
            "method": exchange.method,
            "uri": f"{HOST}{exchange.target}",
            "body": _text(exchange.request),
            "headers": {"content-type": ["application/json"]},
        },
        "response": {
            "status": {"code": exchange.status, "message": exchange.reason},
            "headers": kept,
            "body": {"string": _text(b"".join(exchange.pieces))},
            "recording": recording,
        },
    }


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def read(path: Path) -> list[Exchange]:
    """The exchanges of a cassette, vcrpy's own too. Raises ValueError for another file."""
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return [_exchange(one, path.name) for one in data["interactions"]]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as exc:
        raise ValueError(f"{path} is no cassette: {type(exc).__name__}: {exc}") from None


def _exchange(interaction: Mapping[str, Any], name: str) -> Exchange:
    request, response = interaction["request"], interaction["response"]
    uri, body = urlsplit(request["uri"]), _bytes(response["body"]["string"])
    how = response.get("recording") or {}
    announced = how.get("announced_size", len(body))
    values = {n: v[0] if isinstance(v, list) else v for n, v in response["headers"].items()}
    return Exchange(
        request["method"],
        f"{uri.path}?{uri.query}" if uri.query else uri.path,
        _bytes(request["body"]),
        response["status"]["code"],
        response["status"]["message"],
        {n.lower(): v for n, v in values.items() if n.lower() in _KEPT_HEADERS},
        tuple(_cut(body, how.get("pieces") or [len(body)])),
        tuple(how.get("delays_s") or ()),
        how.get("end", "complete"),
        announced is not None,
        announced or 0,
        name,
    )


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def differences(recorded: Any, received: Any, where: str = "$") -> list[str]:
    """Where two bodies differ, as JSON paths with both values."""
    if isinstance(recorded, dict) and isinstance(received, dict):
        names = dict.fromkeys([*recorded, *received])
        pairs = [(f"{where}.{name}", recorded.get(name), received.get(name)) for name in names]
    elif isinstance(recorded, list) and isinstance(received, list):
        both = range(max(len(recorded), len(received)))
        lists = [[*one, *[None] * (len(both) - len(one))] for one in (recorded, received)]
        pairs = [(f"{where}[{at}]", lists[0][at], lists[1][at]) for at in both]
    elif recorded == received:
        return []
    else:
        return [f"{where}: recorded {_short(recorded)}, received {_short(received)}"]
    return [line for path, left, right in pairs for line in differences(left, right, path)]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 80 else f"{text[:77]}..."


def describe_nearest(exchange: Exchange, recorded: Sequence[Exchange]) -> str:
    """The recorded request that differs least, and how."""
    same_path = [one for one in recorded if one.target == exchange.target] or list(recorded)
    if not same_path:
        return "nothing was recorded"
    given = comparable(exchange.request)
    found = [(differences(comparable(one.request), given), one) for one in same_path]
    lines, nearest = min(found, key=lambda pair: len(pair[0]))
    if nearest.target != exchange.target or nearest.method != exchange.method:
        lines = [f"recorded {nearest.method} {nearest.target}", *lines]
    more = f"; and {len(lines) - _MAX_DIFFERENCES} more" if len(lines) > _MAX_DIFFERENCES else ""
    return f"the nearest is {nearest.name}: {'; '.join(lines[:_MAX_DIFFERENCES])}{more}"
