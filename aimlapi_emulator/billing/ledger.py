"""Ledger of request costs per API key. Balance, logs and usage are views of it.

Source: https://docs.aimlapi.com/capabilities/request-tracing-and-cost and the OpenAPI files of
/v2/billing, /v2/logs, /v2/usage (read 2026-11): a failed request is listed and billed nothing;
a charge may become visible only some time after the answer.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.chat_models import CREDITS_PER_USD

START_USD = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. `at`: seconds since the epoch; `key`: the whole API key."""

    at: float
    key: str
    model: str
    succeeded: bool
    usage: Usage
    request_id: str
    inference_id: str
    client_request_id: str | None

    @property
    def created(self) -> str:
        """`at` in the service's format."""
        return iso(self.at)


ZERO_USAGE = Usage(0, 0, 0, 0, 0)
_ROUTING_CREDITS = 2


def routing_entry(entry: Entry, inference_id: str) -> Entry:
    """The second entry of a router's request: the judgement that picked the model.

    The vendor's page says that there is one; that it has the ids of the request is inferred.
    """
    usage = Usage(entry.usage.prompt, 0, 1, 0, _ROUTING_CREDITS)
    return replace(entry, model="liquid/d1", usage=usage, inference_id=inference_id)


class Ledger:
    """The entries of an emulator, oldest first. `delay_s`: seconds until a charge is visible.

    `max_entries`: at least so many of the newest are kept, None keeps all. Sums are of all.
    """

    def __init__(self, max_entries: int | None = None) -> None:
        self.delay_s = 0.0
        self._max_entries = max_entries
        self._forgotten = ZERO_USAGE
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Add a request."""
        with self._lock:
            self._entries.append(entry)
            if self._max_entries is not None and len(self._entries) > 2 * self._max_entries:
                oldest = self._entries[: -self._max_entries]
                self._forgotten = sum((entry.usage for entry in oldest), self._forgotten)
                del self._entries[: len(oldest)]

    def clear(self) -> None:
        """Remove all entries, and reset the delay."""
        with self._lock:
            self._entries.clear()
            self._forgotten = ZERO_USAGE
            self.delay_s = 0.0

    @property
    def entries(self) -> list[Entry]:
        """The kept entries, also those that are not visible yet."""
        with self._lock:
            return list(self._entries)

    @property
    def total(self) -> Usage:
        """The sum of all usage."""
        with self._lock:
            return sum((entry.usage for entry in self._entries), self._forgotten)

    @property
    def credits(self) -> int:
        """The sum of all credits."""
        return self.total.credits

    def visible_entries(self, key: str | None = None) -> list[Entry]:
        """The entries that are visible now, newest first; of one key, or of all."""
        until = time.time() - self.delay_s
        found = [e for e in self.entries if e.at <= until and key in (None, e.key)]
        return found[::-1]


def usd(credits: int) -> float:
    """Credits in dollars, exact to nine places."""
    return round(credits / CREDITS_PER_USD, 9)


def iso(at: float) -> str:
    """A timestamp in UTC, in the service's format."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
