"""Parses the header `Retry-After` in each form that servers send. No clock: pass the time."""

from __future__ import annotations

import math
import re
from calendar import timegm
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_tz

MAX_WAIT_S = 365 * 86_400.0
"""A longer wait (`inf`, a date in the year 30000) is read as this one."""

# A header sent twice arrives as one list. A date has a comma too, behind the name of its day.
_MEMBERS = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,[^,]*|[^,]+", re.I)
_SECONDS = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|\+?inf(?:inity)?)\s*s?", re.I)
_LAST_YEAR = 9999  # of Python's dates


def retry_after_s(headers: Mapping[str, str], now_s: float | None = None) -> float | None:
    """Seconds to wait by `Retry-After`: a number or a date (RFC 9110), of several the longest.

    None without one that can be read. A date is compared with the response's `Date`, so that a
    wrong local clock does no harm, and without that with `now_s`, in seconds since the epoch.
    """
    value = headers.get("retry-after", "")
    if not value or not value.isascii():
        return None
    date_s = _epoch_s(headers.get("date", ""))
    reference_s = now_s if date_s is None or date_s == math.inf else date_s
    members = (member.strip().strip('"').strip() for member in _MEMBERS.findall(value))
    waits = [_wait_s(member, reference_s) for member in members]
    found = [min(max(0.0, wait), MAX_WAIT_S) for wait in waits if wait is not None]
    return max(found, default=None)


def _wait_s(text: str, reference_s: float | None) -> float | None:
    number = _SECONDS.fullmatch(text)
    if number is not None:
        return float(number[1])
    until_s = _epoch_s(text)
    if until_s is None or reference_s is None:
        return math.inf if until_s == math.inf else None
    return until_s - reference_s


def _epoch_s(text: str) -> float | None:
    """A date of any of the three forms, or in ISO 8601; one without a zone is in UTC."""
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        parsed = parsedate_tz(text)
        if parsed is None:
            return _iso_epoch_s(text)
        year, month, day, hour, minute, second = parsed[:6]
        if year > _LAST_YEAR:
            return math.inf
        datetime(year, month, day, hour, minute, min(second, 59))  # a valid date and time
        return float(timegm((year, month, day, hour, minute, second)) - (parsed[9] or 0))
    return None


def _iso_epoch_s(text: str) -> float:
    found = datetime.fromisoformat(text)
    offset = found.utcoffset()
    return timegm(found.timetuple()) - (offset.total_seconds() if offset else 0.0)
