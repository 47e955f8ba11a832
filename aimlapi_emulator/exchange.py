"""What passes between sockets and rules: requests, answers, and the state that lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .checks import Problem
from .faults import NO_FAULT, Fault
from .ids import Ids
from .ledger import Ledger
from .responses import Stored
from .usage import PrefixCache, Usage

Reply = str | dict[str, Any] | bytes | list[str]
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


class Refusal(Exception):
    """A request that is answered with an error in the service's shape."""

    def __init__(self, status: int, message: str, details: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


@dataclass(slots=True)
class State:
    """What lasts from request to request. `ids` outlives `clear`."""

    live: bool = False
    ids: Ids = field(default_factory=Ids)
    cache: PrefixCache = field(default_factory=PrefixCache)
    directives: dict[str, int] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    asked: dict[str, list[float]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget all but the ids."""
        self.cache.clear()
        self.directives.clear()
        self.stored.clear()
        self.replies.clear()
        self.ledger.clear()
        self.asked.clear()
