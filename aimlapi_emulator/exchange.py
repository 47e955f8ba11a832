"""What passes between sockets and rules: requests, answers, and the state that lasts.

`RequestContext` is a POST on its way from the router through an endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .asked import Asked
from .checks import Problem
from .faults import NO_FAULT, Fault
from .ids import Ids
from .latency import AT_ONCE, Latency
from .ledger import NOTHING, Ledger
from .scripted import Rule
from .usage import PrefixCache, Usage

Reply = str | dict[str, Any] | bytes | list[str]
_SECRETS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")
_LONG_ENOUGH = 7  # of a shorter key four characters would be the better part
_KEY = re.compile(r"(?is)^(bearer\b|)\s*(.*?)\s*$")
EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request; `target` may hold a query."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.split("?", 1)[0]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is answered: either a body, or the events of a stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    events: tuple[bytes, ...] | None = None
    fault: Fault = NO_FAULT
    parsed: Any = None
    problems: tuple[str, ...] = ()
    model: str | None = None
    """The row that answered."""
    usage: Usage | None = None
    """What the answer took; None where the service did not answer."""
    rule: Rule | None = None
    """The scripted rule that answered."""
    latency: Latency = AT_ONCE

    @property
    def succeeded(self) -> bool:
        """Whether the service answered, without an error inside the stream, and was heard."""
        in_stream = self.events is not None and self.fault.error_event is not None
        return self.usage is not None and not in_stream and self.fault.drop is None

    @property
    def charged(self) -> Usage:
        """What is billed for it: nothing for a failure."""
        return self.usage if self.usage is not None and self.succeeded else NOTHING

    @property
    def tokens(self) -> int:
        """Tokens of the answer itself, its reasoning left out."""
        return self.usage.completion - self.usage.reasoning if self.usage is not None else 0


class Refusal(Exception):
    """A request that is answered with an error in the service's shape."""

    def __init__(self, status: int, message: str, details: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Stored:
    """What a stored response leaves to a request that names it."""

    items: tuple[Mapping[str, Any], ...]
    """Input and output so far, as input items."""
    open_calls: tuple[str, ...]
    """Ids of calls that wait for an output."""


@dataclass(slots=True)
class State:
    """What lasts from request to request. `ids` outlives `clear`."""

    live: bool = False
    ids: Ids = field(default_factory=Ids)
    cache: PrefixCache = field(default_factory=PrefixCache)
    directives: dict[str, int] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    asked: dict[str, list[float]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget all but the ids."""
        self.cache.clear()
        self.directives.clear()
        self.stored.clear()
        self.replies.clear()
        self.rules.clear()
        self.ledger.clear()
        self.asked.clear()


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A POST with all that its answer depends on."""

    request: Request
    asked: Asked
    state: State
    headers: Mapping[str, str]
    """What every answer to it carries: its ids."""
    fault: Fault = NO_FAULT
    rule: Rule | None = None
    """The scripted rule that answers."""

    @property
    def path(self) -> str:
        """The path that was asked for, without its query."""
        return self.request.path

    @property
    def body(self) -> Any:
        """Parsed JSON, or bytes that were none."""
        return self.asked.body

    @property
    def request_id(self) -> str:
        """The id under which the service knows the request."""
        return self.headers["x-request-id"]


def asked_by(request: Request, body: Any, state: State) -> Asked:
    """A request, whose key is left out, with its body as JSON."""
    headers = {
        name: _masked(value) if name in _SECRETS else value
        for name, value in request.headers.items()
    }
    previous = body.get("previous_response_id") if isinstance(body, dict) else None
    stored = state.stored.get(previous) if isinstance(previous, str) else None
    return Asked(request.method, request.target, headers, body, stored.items if stored else ())


def _masked(value: str) -> str:
    """The word `Bearer`, if it begins with that, and the last four characters of a key."""
    scheme, key = _KEY.findall(value)[0]
    shown = f"...{key[-4:]}" if len(key) >= _LONG_ENOUGH else "..."
    return f"{scheme} {shown}".lstrip()
