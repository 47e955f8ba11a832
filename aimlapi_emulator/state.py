"""The state that lasts from request to request, and requests as a test sees them.

`RequestContext` is a POST on its way from the router through an endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aimlapi_emulator.billing.ledger import Ledger
from aimlapi_emulator.billing.usage import PrefixCache
from aimlapi_emulator.faults.fault import NO_FAULT, Fault
from aimlapi_emulator.ids import Ids
from aimlapi_emulator.messages import QueuedResponse, Request
from aimlapi_emulator.scripting.request_view import RequestView
from aimlapi_emulator.scripting.rule import Rule

_SECRETS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")
_LONG_ENOUGH = 7  # of a shorter key four characters would be the better part
_KEY = re.compile(r"(?is)^(bearer\b|)\s*(.*?)\s*$")


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
    queued_responses: list[QueuedResponse] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    recent_log_requests: dict[str, list[float]] = field(default_factory=dict)
    """By key: when `/v2/logs` was requested, in seconds of `time.monotonic`."""

    def clear(self) -> None:
        """Forget all but the ids."""
        self.cache.clear()
        self.directives.clear()
        self.stored.clear()
        self.queued_responses.clear()
        self.rules.clear()
        self.ledger.clear()
        self.recent_log_requests.clear()


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A POST with all that its answer depends on."""

    request: Request
    view: RequestView
    state: State
    headers: Mapping[str, str]
    """What every answer to it carries: its ids."""
    fault: Fault = NO_FAULT
    rule: Rule | None = None
    """The scripted rule that answers."""

    @property
    def path(self) -> str:
        """The requested path, without its query."""
        return self.request.path

    @property
    def body(self) -> Any:
        """Parsed JSON, or bytes that were none."""
        return self.view.body

    @property
    def request_id(self) -> str:
        """The id under which the service knows the request."""
        return self.headers["x-request-id"]


def request_view(request: Request, body: Any, state: State) -> RequestView:
    """The view of a request with its parsed body; keys and cookies are masked."""
    headers = {
        name: _masked(value) if name in _SECRETS else value
        for name, value in request.headers.items()
    }
    previous = body.get("previous_response_id") if isinstance(body, dict) else None
    stored = state.stored.get(previous) if isinstance(previous, str) else None
    return RequestView(
        request.method, request.target, headers, body, stored.items if stored else ()
    )


def _masked(value: str) -> str:
    """The word `Bearer`, if it begins with that, and the last four characters of a key."""
    scheme, key = _KEY.findall(value)[0]
    shown = f"...{key[-4:]}" if len(key) >= _LONG_ENOUGH else "..."
    return f"{scheme} {shown}".lstrip()
