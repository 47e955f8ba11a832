"""The one ledger: what each request cost, and for whom. Balance, logs and usage are views of it.

Source: https://docs.aimlapi.com/capabilities/request-tracing-and-cost and the OpenAPI files of
/v2/billing, /v2/logs, /v2/usage (read 2026-11): a failed request is listed and billed nothing;
a charge may be seen only a while after the answer.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.chat_models import CREDITS_PER_USD

START_USD = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. `at` is in seconds since the epoch, `key` the whole key that it came with."""

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
        """When, as the service spells it."""
        return iso(self.at)


NOTHING = Usage(0, 0, 0, 0, 0)


class Ledger:
    """The entries of an emulator, oldest first. `delay_s`: how long a charge stays unseen."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Note a request."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget all entries, and the delay."""
        with self._lock:
            self._entries.clear()
            self.delay_s = 0.0

    @property
    def entries(self) -> list[Entry]:
        """All entries, the unseen ones too."""
        with self._lock:
            return list(self._entries)

    @property
    def total(self) -> Usage:
        """All that was charged, in one."""
        return sum((entry.usage for entry in self.entries), NOTHING)

    @property
    def credits(self) -> int:
        """All credits that were charged."""
        return self.total.credits

    def seen(self, key: str | None = None) -> list[Entry]:
        """The entries that can be seen by now, newest first; of one key, or of all."""
        until = time.time() - self.delay_s
        found = [e for e in self.entries if e.at <= until and key in (None, e.key)]
        return found[::-1]


def usd(credits: int) -> float:
    """Credits in dollars, exact to nine places."""
    return round(credits / CREDITS_PER_USD, 9)


def iso(at: float) -> str:
    """A moment in UTC, as the service spells it."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
