"""Exchanges as vcrpy cassettes: what is kept of one, and how requests are matched.

Of headers only those listed here are kept, so that no key, cookie or account slips in with a new
one. Under `recording`, a key of `response` that vcrpy ignores, are the sizes of the pieces that
came, the seconds before each, and how the answer ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
_RECORDING = ("pieces", "delays_s", "end", "announced_size")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, which came in pieces."""

    method: str
    target: str
    request: bytes
    status: int = 0
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    announced_size: int | None = None
    """None for a chunked answer."""
    pieces: Sequence[int] = ()
    """Bytes of each piece of the body."""
    delays_s: Sequence[float] = ()
    """Seconds before each piece."""
    end: str = "complete"
    """`complete`; `closed` or `reset` when the connection ended before the answer did."""
    name: str = ""
    """The cassette that it was read from."""

    @property
    def values(self) -> dict[str, Any]:
        """The request's body as JSON paths with values, without the ids that change."""
        try:
            return dict(_flat(json.loads(self.request), "$"))
        except (ValueError, RecursionError):
            return {"$": self.request}

    @property
    def key(self) -> tuple[str, str, str]:
        """What a request is matched by: method, path, values of its body."""
        return self.method, self.target, repr(sorted(self.values.items()))

    def timed_pieces(self) -> Iterator[tuple[bytes, float]]:
        """The body's pieces, each with the seconds before it; what is left is in the last."""
        body, last = self.body, len(self.pieces) - 1
        delays_s = [*self.delays_s, *[0.0] * len(self.pieces)]
        for index, (size, delay_s) in enumerate(zip(self.pieces, delays_s, strict=False)):
            yield (body[:size] if index < last else body), delay_s
            body = body[size:]

    def redacted(self, secrets: Iterable[re.Pattern[bytes]]) -> Exchange:
        """The exchange with each match in its bodies replaced."""
        request, body, size = self.request, self.body, self.announced_size
        for secret in secrets:
            request, body = secret.sub(_REDACTED, request), secret.sub(_REDACTED, body)
        size = None if size is None else size + len(body) - len(self.body)
        return replace(self, request=request, body=body, announced_size=size)


def _flat(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """JSON paths with the values at them."""
    if not value or not isinstance(value, dict | list):
        yield where, value
        return
    for name, one in value.items() if isinstance(value, dict) else enumerate(value):
        if name not in _IDS:
            yield from _flat(
                one, f"{where}[{name}]" if isinstance(name, int) else f"{where}.{name}"
            )


def write(path: Path, exchanges: Iterable[Exchange]) -> None:
    """Write exchanges as one cassette."""
    import yaml

    data = {"interactions": [_interaction(one) for one in exchanges], "version": 1}
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=None)
    path.write_text(text, encoding="utf-8")


def _kept(headers: Mapping[str, Any]) -> dict[str, str]:
    values = {n.lower(): v[0] if isinstance(v, list) else v for n, v in headers.items()}
    return {name: value for name, value in values.items() if name in _KEPT_HEADERS}


def _interaction(exchange: Exchange) -> dict[str, Any]:
    return {
        "request": {
            "method": exchange.method,
            "uri": f"{HOST}{exchange.target}",
            "body": _text(exchange.request),
            "headers": {"content-type": ["application/json"]},
        },
        "response": {
            "status": {"code": exchange.status, "message": exchange.reason},
            "headers": {name: [value] for name, value in _kept(exchange.headers).items()},
            "body": {"string": _text(exchange.body)},
            "recording": {name: getattr(exchange, name) for name in _RECORDING},
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
    how: dict[str, Any] = {"pieces": [len(body)], "announced_size": len(body)}
    target = f"{uri.path}?{uri.query}" if uri.query else uri.path
    sent = (request["method"], target, _bytes(request["body"]))
    status, headers = response["status"], _kept(response["headers"])
    how = {**(response.get("recording") or how), "name": name}
    return Exchange(*sent, status["code"], status["message"], headers, body, **how)


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def describe_nearest(exchange: Exchange, recorded: Sequence[Exchange]) -> str:
    """The recorded request that differs least, and how."""
    nearest = min(
        recorded, key=lambda one: (one.target != exchange.target, len(_differences(one, exchange)))
    )
    lines = _differences(nearest, exchange)
    more = f"; and {len(lines) - _MAX_DIFFERENCES} more" if len(lines) > _MAX_DIFFERENCES else ""
    return f"the nearest is {nearest.name}: {'; '.join(lines[:_MAX_DIFFERENCES])}{more}"


def _differences(recorded: Exchange, received: Exchange) -> list[str]:
    """Where two requests differ: method and path, then JSON paths with both values."""
    values = left, right = recorded.values, received.values
    same = (recorded.method, recorded.target) == (received.method, received.target)
    lines = [] if same else [f"recorded {recorded.method} {recorded.target}"]
    for path in {**left, **right}:
        if left.get(path) != right.get(path):
            both = [json.dumps(one.get(path), ensure_ascii=False, default=repr) for one in values]
            lines.append(f"{path}: recorded {both[0][:80]}, received {both[1][:80]}")
    return lines
