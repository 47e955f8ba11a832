"""Account endpoints: balance, logs, usage, transactions, API key. All are views of the ledger.

Source: the OpenAPI files billing-v2, logs-v2, usage-v2, billing-transactions-v2 and key-get of
https://docs.aimlapi.com (read 2026-11). A key that contains `management` is a management key;
one that contains `broke` belongs to an account without funds.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aimlapi_emulator.billing.ledger import START_USD, Entry, iso, usd
from aimlapi_emulator.catalog.chat_models import CREDITS_PER_USD
from aimlapi_emulator.messages import APIError, Request
from aimlapi_emulator.state import State
from aimlapi_emulator.validation.validators import Problem

_QUERY_INVALID = "Query validation error!"
_MAX_RANGE_S = 92 * 86_400
_LIMIT_PER_MINUTE = 200
_PERIOD = re.compile(r"([1-9]\d{0,4})([hd])")
_STATUSES = ("succeeded", "failed")
_DIRECTIONS = ("TOPUP", "CHARGE")
_TYPES = ("PAYMENT", "BONUS", "REFUND", "ADJUSTMENT", "MODEL_USAGE", "CREDITS_EXPIRED", "INIT")

Query = Mapping[str, list[str]]


def _invalid(path: str, reason: str) -> APIError:
    return APIError(400, _QUERY_INVALID, (Problem(path, reason),))


def _last(query: Query, name: str) -> str | None:
    return query[name][-1] if name in query else None


def _timestamp(query: Query, name: str) -> float | None:
    given = _last(query, name)
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise _invalid(name, "Invalid datetime") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _time_range(query: Query) -> tuple[float, float]:
    """The time range of a query in seconds since the epoch: `period`, or `start` and `end`."""
    period = _last(query, "period")
    start, end = _timestamp(query, "start"), _timestamp(query, "end")
    if (period is None) == (start is None and end is None):
        raise _invalid("period", "Provide either period or both start and end")
    if period is not None:
        match = _PERIOD.fullmatch(period)
        if match is None:
            raise _invalid("period", "Expected a positive integer followed by h or d")
        end = time.time()
        start = end - int(match[1]) * (3600 if match[2] == "h" else 86_400)
    if start is None or end is None or end < start or end - start > _MAX_RANGE_S:
        raise _invalid("end", "end must not be earlier than start, nor 92 days later")
    return start, end


def _integer(query: Query, name: str, default: int, least: int, most: int) -> int:
    given = _last(query, name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or not least <= int(given) <= most:
        raise _invalid(name, f"Expected an integer between {least} and {most}")
    return int(given)


def _enum_values(query: Query, name: str, known: tuple[str, ...]) -> list[str]:
    for value in query.get(name, ()):
        if value not in known:
            expected = " | ".join(f"'{one}'" for one in known)
            raise _invalid(name, f"Invalid enum value. Expected {expected}, received '{value}'")
    return query.get(name, [])


def _check_key_access(query: Query, key: str) -> None:
    """Raise APIError for another key's prefix without a management key."""
    prefix = _last(query, "key_prefix")
    if prefix is not None and not key.startswith(prefix) and "management" not in key:
        raise APIError(403, "A management key is required to report on another key.")


def _entries(query: Query, key: str, state: State) -> list[Entry]:
    start, end = _time_range(query)
    _check_key_access(query, key)
    prefix = _last(query, "key_prefix")
    mine = state.ledger.visible_entries(None if prefix else key)
    return [e for e in mine if start <= e.at <= end and (not prefix or e.key.startswith(prefix))]


def _log_row(entry: Entry) -> dict[str, Any]:
    used = entry.usage
    return {
        "created": entry.created,
        "status": "succeeded" if entry.succeeded else "failed",
        "origin": "api",
        "model": entry.model,
        "cost": {"usd": usd(used.credits), "credits": used.credits},
        "tokens": {
            "input": used.prompt,
            "output": used.completion,
            "total": used.prompt + used.completion,
        },
        "request_id": entry.request_id,
        "inference_id": entry.inference_id,
        "client_request_id": entry.client_request_id,
    }


def _logs(query: Query, key: str, state: State) -> dict[str, Any]:
    models, statuses = query.get("model", []), _enum_values(query, "status", _STATUSES)
    if len(models) > 50:
        raise _invalid("model", "Array must contain at most 50 element(s)")
    limit = _integer(query, "limit", 50, 1, 100)
    offset = _integer(query, "offset", 0, 0, 10**9)
    found = [
        row
        for row in map(_log_row, _entries(query, key, state))
        if (not statuses or row["status"] in statuses)
        and (not models or {row["model"], row["model"].rpartition("/")[2]} & set(models))
    ]
    more = offset + limit < len(found)
    pages = {"limit": limit, "offset": offset, "total": len(found), "has_more": more}
    return {"data": found[offset : offset + limit], "pagination": pages}


def _balance(_query: Query, key: str, state: State) -> dict[str, Any]:
    left = 0.0 if "broke" in key else usd(START_USD * CREDITS_PER_USD - state.ledger.credits)
    return {"current_balance": left, "currency": "USD"}


def _balance_v1(_query: Query, key: str, state: State) -> dict[str, Any]:
    left = 0 if "broke" in key else START_USD * CREDITS_PER_USD - state.ledger.credits
    return {
        "balance": left,
        "lowBalance": left < 10_000,
        "lowBalanceThreshold": 10_000,
        "lastUpdated": iso(time.time()),
        "autoDebitStatus": "disabled",
        "status": "current",
        "statusExplanation": "Balance is current and up to date",
    }


def _usage(query: Query, key: str, state: State) -> dict[str, Any]:
    start, end = _time_range(query)
    charged = [e.usage.credits for e in _entries(query, key, state) if e.usage.credits]
    return {
        "api_key_prefix": _last(query, "key_prefix"),
        "start": iso(start),
        "end": iso(end),
        "spend": usd(sum(charged)),
        "currency": "USD",
        "requests": len(charged),
    }


def _transactions(query: Query, key: str, state: State) -> dict[str, Any]:
    if "management" not in key:
        raise APIError(403, "A management key is required for this operation.")
    directions = _enum_values(query, "direction", _DIRECTIONS)
    types = _enum_values(query, "type", _TYPES)
    start, end = _timestamp(query, "from"), _timestamp(query, "to")
    limit = _integer(query, "limit", 50, 1, 100)
    skipped = _decode_cursor(_last(query, "cursor"))
    rows = [_charge(entry) for entry in state.ledger.visible_entries() if entry.usage.credits]
    found = [
        row
        for at, row in [*rows, _initial_topup()]
        if (not directions or row["direction"] in directions)
        and (not types or row["type"] in types)
        and (start is None or at >= start)
        and (end is None or at < end)
    ]
    more = skipped + limit < len(found)
    cursor = base64.urlsafe_b64encode(f"at:{skipped + limit}".encode()).decode()
    pages = {"next_cursor": cursor if more else None, "has_more": more}
    return {"data": found[skipped : skipped + limit], "pagination": pages}


def _decode_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        name, _, number = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = number = ""
    if name != "at" or not number.isdigit():
        raise _invalid("cursor", "Invalid cursor")
    return int(number)


def _charge(entry: Entry) -> tuple[float, dict[str, Any]]:
    return entry.at, {
        "created_at": entry.created,
        "direction": "CHARGE",
        "type": "MODEL_USAGE",
        "amount": {"usd": usd(entry.usage.credits), "credits": entry.usage.credits},
        "model": entry.model,
        "reference_id": entry.inference_id,
    }


def _initial_topup() -> tuple[float, dict[str, Any]]:
    return 0.0, {
        "created_at": iso(0.0),
        "direction": "TOPUP",
        "type": "INIT",
        "amount": {"usd": float(START_USD), "credits": START_USD * CREDITS_PER_USD},
        "model": None,
        "reference_id": None,
    }


def _key(_query: Query, key: str, state: State) -> dict[str, Any]:
    made = iso(0.0)
    month = sum(entry.usage.credits for entry in state.ledger.visible_entries(key))
    data = {
        "name": "emulated",
        "disabled": False,
        "prefix": key[:8],
        "scopes": ["model:chat"] if "chatonly" in key else None,
        "limit": None,
        "created_at": made,
        "updated_at": made,
        "monthly_usage": usd(month),
    }
    return {"data": data}


_HANDLERS: Mapping[str, Callable[[Query, str, State], dict[str, Any]]] = {
    "/v2/billing": _balance,
    "/v1/billing/balance": _balance_v1,
    "/v2/billing/transactions": _transactions,
    "/v2/logs": _logs,
    "/v2/usage": _usage,
    "/v1/key": _key,
}
PATHS = frozenset(_HANDLERS)


def account(request: Request, state: State) -> dict[str, Any]:
    """The response body of a GET on one of `PATHS`. Raises APIError."""
    key = request.headers.get("authorization", "").partition(" ")[2].strip()
    if request.path == "/v2/logs":
        _check_rate_limit(key, state)
    query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
    return _HANDLERS[request.path](query, key, state)


def _check_rate_limit(key: str, state: State) -> None:
    """The only rate limit that the vendor publishes: 200 requests for logs per minute."""
    now = time.monotonic()
    recent = [at for at in state.recent_log_requests.get(key, ()) if now - at < 60]
    if len(recent) >= _LIMIT_PER_MINUTE:
        raise APIError(429, "Too Many Requests")
    state.recent_log_requests[key] = [*recent, now]
