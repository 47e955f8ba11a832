"""What a scope asks the service about costs that never came: live prices, and the logs.

Each function gives questions and takes their payloads, so that both clients can ask them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, TypeAlias

from aimlapi_core.account import (
    LoggedCall,
    Question,
    logs_question,
    match,
    models_question,
    to_logs,
    to_models,
)
from aimlapi_core.costs.ledger import Ledger
from aimlapi_core.costs.unknown_call import UnknownCall

Asking: TypeAlias = Generator[Question, Any, None]

_PAGES = 50  # of 100 rows: as far back as the logs are searched
_LONGEST_H = 92 * 24  # the longest window of the logs [D logs-v2.json]


def questions(innermost: Ledger, now_s: float) -> Asking:
    """What budgets must ask before a request can go out: prices, then logs.

    Nothing is asked while every cost is known. Calls that end meanwhile are asked for too.
    """
    for ledger in innermost.chain():
        asked: set[UnknownCall] = set()
        while ledger.doubtful():
            if not ledger.refuses_unknown():
                yield from ask_prices(ledger)
            doubtful = [call for call in ledger.doubtful() if call not in asked]
            if not doubtful:
                break
            asked.update(doubtful)
            yield from ask_logs(doubtful, now_s)


def ask_prices(ledger: Ledger) -> Asking:
    """Ask for the prices of the models that unknown calls with a usage were made to."""
    for call in ledger.unknown:
        if call.usage is not None and not ledger.knows_price(call.model):
            offered = to_models((yield models_question(call.model).of(call.settings)))
            ledger.learn_prices(call.model, offered)
    ledger.estimate()  # for a scope beside this one the prices may have come before


def ask_logs(calls: Iterable[UnknownCall], now_s: float) -> Asking:
    """Ask the service's logs for these calls, newest first, and settle those found.

    By the inference id where the answer's head came, else by the client request id. One that
    several calls share tells nothing.
    """
    for wanted in by_account(calls):
        yield from _ask_account(wanted, now_s)


def by_account(calls: Iterable[UnknownCall]) -> list[list[UnknownCall]]:
    """Calls by the account that they were made with: each has logs of its own."""
    found: dict[object, list[UnknownCall]] = {}
    for call in calls:
        found.setdefault(call.account, []).append(call)
    return list(found.values())


def _ask_account(wanted: list[UnknownCall], now_s: float) -> Asking:
    # Counted back from the service's own clock, so that ours may be wrong. A call may have begun
    # after `now_s`.
    age_h = max(0, int(now_s - min(call.began_s for call in wanted))) // 3600 + 1
    period = f"{min(age_h, _LONGEST_H)}h"
    rows: list[LoggedCall] = []
    found: dict[UnknownCall, LoggedCall] = {}
    for _ in range(_PAGES):
        question = logs_question(period=period, limit=100, offset=len(rows))
        page = to_logs((yield question.of(wanted[0].settings)))
        rows += page.calls
        found = match(wanted, rows, wanted[0].ledger.accounted())
        if len(found) == len(wanted) or not page.has_more or not page.calls:
            break
    for call, row in found.items():
        call.ledger.resolve(call, row)
