"""Server state across requests, and the context of one POST.

`RequestContext` is passed from the router to the endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aimlapi_emulator.billing.ledger import Ledger
from aimlapi_emulator.billing.usage import PrefixCache
from aimlapi_emulator.catalog.deprecations import DEPRECATIONS, Deprecation
from aimlapi_emulator.faults.fault import NO_FAULT, Fault
from aimlapi_emulator.ids import Ids
from aimlapi_emulator.messages import QueuedResponse, Request
from aimlapi_emulator.scripting.request_view import RequestView
from aimlapi_emulator.scripting.rule import Rule
from aimlapi_emulator.scripting.rules_file import RulesFile
from aimlapi_emulator.text.bounds import forget_oldest

MAX_KEPT_BYTES = 64_000_000
"""Bytes of bodies that are kept where their number is bounded: of requests, and of responses."""
_SECRET_HEADERS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie")
_MIN_KEY_LENGTH = 7  # four characters would be most of a shorter key
_KEY = re.compile(r"(?is)^(bearer\b|)\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response that a later request can name as `previous_response_id`."""

    items: tuple[Mapping[str, Any], ...]
    """Input and output so far, as input items."""
    unanswered_calls: tuple[str, ...]
    """Ids of function calls without an output."""
    size: int = 0
    """Bytes of the requests that these items are of."""


@dataclass(slots=True)
class State:
    """State across requests. `clear` resets neither the ids nor the settings."""

    live: bool = False
    eager: bool = False
    """Whether the built-in rules call tools that no message names."""
    cost_chunk: str = "merged"
    only_known_models: bool = False
    max_kept: int | None = None
    """How many stored responses, directives and entries of the ledger are kept; None: all."""
    ids: Ids = field(default_factory=Ids)
    cache: PrefixCache = field(default_factory=PrefixCache)
    directives: dict[str, int] = field(default_factory=dict)
    stored: dict[str, StoredResponse] = field(default_factory=dict)
    queued_responses: list[QueuedResponse] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    rules_file: RulesFile | None = None
    """Further rules, which come after those; `clear` does not forget them."""
    ledger: Ledger = field(init=False)
    deprecations: list[Deprecation] = field(default_factory=lambda: list(DEPRECATIONS))
    recent_log_requests: dict[str, list[float]] = field(default_factory=dict)
    """By key: when `/v2/logs` was requested, in seconds of `time.monotonic`."""

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.max_kept)

    def store(self, response_id: str, response: StoredResponse) -> None:
        """Keep a response; the oldest go where there are too many, or too large ones."""
        self.stored[response_id] = response
        if self.max_kept is None:
            return
        forget_oldest(self.stored, self.max_kept)
        size = sum(kept.size for kept in self.stored.values())
        while size > MAX_KEPT_BYTES and len(self.stored) > 1:
            size -= self.stored.pop(next(iter(self.stored))).size

    def clear(self) -> None:
        """Reset all but the ids and the settings."""
        self.cache.clear()
        self.directives.clear()
        self.stored.clear()
        self.queued_responses.clear()
        self.rules.clear()
        self.ledger.clear()
        self.deprecations[:] = DEPRECATIONS
        self.recent_log_requests.clear()


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A POST and everything that its answer depends on."""

    request: Request
    view: RequestView
    state: State
    headers: Mapping[str, str]
    """Headers of every response to it: its ids."""
    fault: Fault = NO_FAULT
    rule: Rule | None = None
    """The scripted rule that answers."""
    known_members: Mapping[str, Any] | None = None
    """The members of the body that the model's schema lists, once they are validated."""

    @property
    def path(self) -> str:
        """The requested path, without its query."""
        return self.request.path

    @property
    def body(self) -> Any:
        """Parsed JSON, or bytes that were none; without unknown members once it is validated."""
        return self.view.body if self.known_members is None else self.known_members

    @property
    def request_id(self) -> str:
        """The service's request id."""
        return self.headers["x-request-id"]


def request_view(request: Request, body: Any, state: State) -> RequestView:
    """The view of a request with its parsed body; keys and cookies are masked."""
    headers = {
        name: _masked(value) if name in _SECRET_HEADERS else value
        for name, value in request.headers.items()
    }
    previous = body.get("previous_response_id") if isinstance(body, dict) else None
    stored = state.stored.get(previous) if isinstance(previous, str) else None
    return RequestView(
        request.method, request.target, headers, body, stored.items if stored else ()
    )


def _masked(value: str) -> str:
    """Only the scheme `Bearer`, if present, and the last four characters of a key."""
    scheme, key = _KEY.findall(value)[0]
    shown = f"...{key[-4:]}" if len(key) >= _MIN_KEY_LENGTH else "..."
    return f"{scheme} {shown}".lstrip()
