"""Reconciliation: looks up unreported costs in the service's logs, or estimates them by prices.

Each function is a generator that yields requests and is sent their payloads, so that the
synchronous and the asynchronous client can drive it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from aimlapi_core.account import (
    AccountRequest,
    LoggedCall,
    logs_request,
    models_request,
    parse_logs,
    parse_models,
)
from aimlapi_core.costs.ledger import CostLedger
from aimlapi_core.costs.log_matching import match_calls_to_logs, match_choices_to_logs
from aimlapi_core.costs.unknown_call import UnknownCall

Found = TypeVar("Found")
LookupSteps: TypeAlias = Generator[AccountRequest, Any, None]

_PAGES = 50  # of 100 rows each: how many pages of the logs are searched
_LONGEST_H = 92 * 24  # the longest window of the logs [D logs-v2.json]


def budget_lookups(innermost: CostLedger, now_s: float) -> LookupSteps:
    """The lookups that budgets need before a request can be sent: prices, then logs.

    None while every cost is known. Includes calls that end during the lookups.
    """
    for ledger in innermost.chain():
        looked_up: set[UnknownCall] = set()
        while ledger.unpriced_calls():
            if not ledger.rejects_unknown_cost():
                yield from fetch_prices(ledger)
            unpriced = [call for call in ledger.unpriced_calls() if call not in looked_up]
            if not unpriced:
                break
            looked_up.update(unpriced)
            yield from fetch_logs(unpriced, now_s)


def fetch_prices(ledger: CostLedger) -> LookupSteps:
    """Fetch the prices of the models of unknown calls whose usage is known; update estimates."""
    for call in ledger.unknown:
        if call.usage is not None and not ledger.has_price(call.model):
            offered = parse_models((yield models_request(call.model).for_account(call.settings)))
            ledger.set_prices(call.model, offered)
    ledger.estimate()  # a sibling scope may have fetched the prices


def fetch_logs(calls: Iterable[UnknownCall], now_s: float) -> LookupSteps:
    """Search the service's logs for these calls, newest first, and settle those found.

    Matched by inference id if the response headers arrived, else by client request id, unless
    several calls share it.
    """
    for wanted in group_by_account(calls):
        yield from _fetch_account_logs(wanted, now_s)


def group_by_account(calls: Iterable[UnknownCall]) -> list[list[UnknownCall]]:
    """Group calls by account: each account has its own logs."""
    found: dict[object, list[UnknownCall]] = {}
    for call in calls:
        found.setdefault(call.account, []).append(call)
    return list(found.values())


def fetch_choices(calls: Iterable[UnknownCall], now_s: float) -> LookupSteps:
    """Search the service's logs for what routers' choices of a model cost, and add it."""
    for wanted in group_by_account(calls):
        match = partial(match_choices_to_logs, wanted)
        found = yield from _search_logs(wanted, now_s, match)
        for call, rows in found.items():
            call.ledger.settle_routed(call, rows)


def _fetch_account_logs(wanted: list[UnknownCall], now_s: float) -> LookupSteps:
    def match(rows: list[LoggedCall]) -> dict[UnknownCall, LoggedCall]:
        return match_calls_to_logs(wanted, rows, wanted[0].ledger.claimed_inferences())

    found = yield from _search_logs(wanted, now_s, match)
    for call, row in found.items():
        call.ledger.settle_call(call, row)


def _search_logs(
    wanted: list[UnknownCall],
    now_s: float,
    match: Callable[[list[LoggedCall]], dict[UnknownCall, Found]],
) -> Generator[AccountRequest, Any, dict[UnknownCall, Found]]:
    """What `match` finds in the logs, read page by page until it has found every call."""
    # A period counts back from the service's clock, so that ours may be wrong. A call may have
    # begun after `now_s`.
    age_h = max(0, int(now_s - min(call.began_s for call in wanted))) // 3600 + 1
    period = f"{min(age_h, _LONGEST_H)}h"
    rows: list[LoggedCall] = []
    found: dict[UnknownCall, Found] = {}
    for _ in range(_PAGES):
        question = logs_request(period=period, limit=100, offset=len(rows))
        page = parse_logs((yield question.for_account(wanted[0].settings)))
        rows += page.calls
        found = match(rows)
        if len(found) == len(wanted) or not page.has_more or not page.calls:
            break
    return found
