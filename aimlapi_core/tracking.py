"""What a piece of work cost: scopes, their totals, their budgets. No clock and no network here.

One context variable holds the innermost open scope. Each call looks it up when it begins and
reports to that scope, which passes everything on to those around it. Amounts are whole credits,
so that totals are exact. A cost that the service did not state is never filled in: the call
stands in `unknown`, and what it may have cost is kept apart as an estimate.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, ParamSpec, Self, TypeAlias, TypeVar, cast

from aimlapi_core.account import (
    LoggedCall,
    OfferedModel,
    Prices,
    Question,
    logs_question,
    match,
    models_question,
    to_logs,
    to_models,
)
from aimlapi_core.budget import Budget, OnUnknownCost
from aimlapi_core.errors import ConfigurationError
from aimlapi_core.totals import Totals, sum_of, table, to_usd, totals_of
from aimlapi_core.types import Usage

Asking: TypeAlias = Generator[Question, Any, None]

P = ParamSpec("P")
R = TypeVar("R")

_PAGES = 50  # of 100 rows: as far back as the logs are searched
_LONGEST_H = 92 * 24  # the longest window of the logs [D logs-v2.json]


@dataclass(eq=False, slots=True)
class UnknownCall:
    """A call whose cost never came. `why`: cut, lost, closed, stopped, unstated or unreadable.

    `usage` is what came of it, mostly None. `estimated_credits` is an estimate by the
    catalogue's prices, None as long as there is none.
    """

    model: str
    why: str
    client_request_id: str
    inference_id: str | None
    usage: Usage | None
    estimated_credits: int | None
    began_s: float
    """On the clock of `time.monotonic`."""
    settings: Any
    """How to reach the account that pays; its repr holds no key."""
    has_own_id: bool
    """Whether its client request id was made for it alone."""
    ledger: Ledger
    """The innermost scope that it belongs to."""

    def __repr__(self) -> str:
        return (
            f"UnknownCall(model={self.model!r}, why={self.why!r}, inference_id="
            f"{self.inference_id!r}, client_request_id={self.client_request_id!r})"
        )


_innermost: ContextVar[Ledger | None] = ContextVar("aimlapi_costs", default=None)


def open_ledger() -> Ledger | None:
    """The innermost scope that is open where this is called; None outside of all."""
    return _innermost.get()


def note_cache_hit(model: str) -> None:
    """Count an answer that a framework's cache gave, at no cost."""
    ledger = _innermost.get()
    if ledger is not None:
        ledger.add(model, Totals(cache_hits=1))


class Ledger:
    """A scope: open it with `with`, read it at any time, also after its end.

    May be shared by threads and tasks. It is opened once; calls that began inside it report to
    it even when they end after it.
    """

    def __init__(
        self,
        *,
        budget_usd: Decimal | float | str | None = None,
        warn_at: float | None = 0.8,
        on_unknown_cost: OnUnknownCost = "estimate",
    ) -> None:
        self._make_budget = partial(Budget, warn_at=warn_at, on_unknown_cost=on_unknown_cost)
        self._budget: Budget | None = self._make_budget(0)  # looks at the other two in any case
        self.set_budget(budget_usd)
        self._parent: Ledger | None = None
        self._was_opened = False
        self._token: Token[Ledger | None] | None = None
        # One lock for nested scopes. Reentrant: the garbage collector may end a forgotten stream,
        # which reports its call, while this very thread holds it.
        self._lock = threading.RLock()
        self._by_model: dict[str, Totals] = {}
        self._unknown: dict[UnknownCall, None] = {}
        self._estimated = 0
        self._unestimated = 0
        self._reserved = 0
        self._in_flight = 0
        self._prices: dict[str, Prices | None] = {}
        # Inference ids of calls with a client request id that others may have too.
        self._accounted: set[str] = set()

    def __enter__(self) -> Self:
        if self._was_opened:
            raise ConfigurationError("A scope of costs is opened once; make another one.")
        self._was_opened = True
        self._parent = _innermost.get()
        if self._parent is not None:
            self._lock, self._prices = self._parent._lock, self._parent._prices
        self._token = _innermost.set(self)
        return self

    def __exit__(self, *exc: object) -> None:
        token, self._token = self._token, None
        if token is not None:
            with suppress(ValueError):  # left in another context than entered: nothing to undo
                _innermost.reset(token)

    def wrap(self, function: Callable[P, R]) -> Callable[P, R]:
        """`function`, with this scope open while it runs: for threads that inherit no context.

        `threading.Thread` and `ThreadPoolExecutor` inherit none, but for Python 3.14's
        `-X thread_inherit_context`.
        """
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                token = _innermost.set(self)
                try:
                    return await function(*args, **kwargs)
                finally:
                    _innermost.reset(token)

            return cast("Callable[P, R]", awaited)

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            token = _innermost.set(self)
            try:
                return function(*args, **kwargs)
            finally:
                _innermost.reset(token)

        return called

    @property
    def total(self) -> Totals:
        """The sums over all models."""
        with self._lock:
            return sum_of(self._by_model.values())

    @property
    def by_model(self) -> dict[str, Totals]:
        """The sums of each model, by the id that was asked for."""
        with self._lock:
            return dict(self._by_model)

    @property
    def credits(self) -> int:
        """What the service stated so far, in credits."""
        return self.total.credits

    @property
    def usd(self) -> Decimal:
        """What the service stated so far, in dollars, exactly."""
        return self.total.usd

    @property
    def unknown(self) -> tuple[UnknownCall, ...]:
        """The calls whose cost never came; `settle()` looks them up."""
        with self._lock:
            return tuple(self._unknown)

    @property
    def estimated_credits(self) -> int:
        """An estimate for those of `unknown` that can be estimated; no part of `credits`."""
        with self._lock:
            return self._estimated

    @property
    def in_flight(self) -> int:
        """Requests that are under way."""
        with self._lock:
            return self._in_flight

    @property
    def budget_usd(self) -> Decimal | None:
        """The ceiling in dollars."""
        return None if self._budget is None else to_usd(self._budget.ceiling)

    def set_budget(self, usd: Decimal | float | str | None) -> None:
        """Another ceiling from now on; None for no ceiling."""
        self._budget = None if usd is None else self._make_budget(usd)

    def _chain(self) -> Iterator[Ledger]:
        """This scope and those around it."""
        ledger: Ledger | None = self
        while ledger is not None:
            yield ledger
            ledger = ledger._parent

    def add(self, model: str, more: Totals) -> None:
        """Add to the sums of a model, here and in the scopes around."""
        with self._lock:
            for ledger in self._chain():
                ledger._add(model, more)

    def _add(self, model: str, more: Totals) -> None:
        while True:
            before = self._by_model.get(model)
            after = more if before is None else before + more
            if self._by_model.get(model) is before:  # no forgotten stream was ended meanwhile
                self._by_model[model] = after
                return

    def reserve(self, model: str) -> list[tuple[Ledger, int]]:
        """Hold back what a request is expected to cost, in each scope; or refuse it.

        What is expected is the mean of the model's calls so far, nothing before the first.
        Raises BudgetExceededError, or UnknownCostError. Warns at a scope's share.
        """
        with self._lock:
            for ledger in self._chain():
                ledger._check()
            held = [(ledger, ledger._expected(model)) for ledger in self._chain()]
            for ledger, credits in held:
                ledger._reserved += credits
                ledger._in_flight += 1
        return held

    def release(self, held: Iterable[tuple[Ledger, int]]) -> None:
        """Give back what `reserve` held."""
        with self._lock:
            for ledger, credits in held:
                ledger._reserved -= credits
                ledger._in_flight -= 1

    def _expected(self, model: str) -> int:
        so_far = self._by_model.get(model)
        return -(-so_far.credits // so_far.priced) if so_far and so_far.priced else 0

    def _check(self) -> None:
        if self._budget is not None:
            doubtful = len(self._unknown) if self._budget.refuses_unknown else self._unestimated
            self._budget.check(
                stated=self.credits,
                estimated=self._estimated,
                reserved=self._reserved,
                in_flight=self._in_flight,
                doubtful=doubtful,
            )

    def add_unknown(self, call: UnknownCall) -> None:
        """Note a call whose cost did not come, here and in the scopes around."""
        with self._lock:
            for ledger in self._chain():
                ledger._unknown[call] = None
                ledger._unestimated += 1
            self._estimate(call)

    def _estimate(self, call: UnknownCall) -> None:
        """Estimate a call by the prices that are known so far."""
        prices = self._prices.get(call.model)
        if call.estimated_credits is not None or call.usage is None or prices is None:
            return
        call.estimated_credits = prices.credits_for(
            call.usage.input_tokens, call.usage.output_tokens
        )
        if call.estimated_credits is not None:
            for ledger in call.ledger._chain():
                ledger._estimated += call.estimated_credits
                ledger._unestimated -= 1

    def learn_prices(self, model: str, offered: Iterable[OfferedModel]) -> None:
        """Take in a model's live prices."""
        with self._lock:
            self._prices[model] = next((row.prices for row in offered if row.prices), None)

    def resolve(self, call: UnknownCall, found: LoggedCall) -> None:
        """The service's logs say what an unknown call cost: it is unknown no more."""
        tokens = Totals()
        if call.usage is None:
            tokens = Totals(input_tokens=found.input_tokens, output_tokens=found.output_tokens)
        with self._lock:
            if call not in call.ledger._unknown:  # settled by somebody else meanwhile
                return
            for ledger in call.ledger._chain():
                del ledger._unknown[call]
                if call.estimated_credits is None:
                    ledger._unestimated -= 1
                else:
                    ledger._estimated -= call.estimated_credits
            more = Totals(credits=found.credits, priced=int(found.credits > 0))
            call.ledger.add(call.model, more + tokens)
            if not call.has_own_id and found.inference_id:
                call.ledger.account_for(found.inference_id)

    def account_for(self, inference_id: str) -> None:
        """Remember that this inference belongs to a call that is known."""
        with self._lock:
            for ledger in self._chain():
                ledger._accounted.add(inference_id)

    def is_watched(self) -> bool:
        """Whether a scope here or around has a budget."""
        return any(ledger._budget is not None for ledger in self._chain())

    def questions(self, now_s: float) -> Asking:
        """What a budget must ask before a request can go out: prices, then logs.

        Gives questions, takes their payloads. Nothing is asked while every cost is known.
        """
        for ledger in self._chain():
            if ledger._budget is None or not ledger._unknown:
                continue
            refuses = ledger._budget.refuses_unknown
            if not refuses:
                yield from ledger.ask_prices()
            doubtful = [
                call for call in ledger.unknown if refuses or call.estimated_credits is None
            ]
            if doubtful:
                yield from ledger.ask_logs(doubtful, now_s)

    def ask_prices(self) -> Asking:
        """Ask for the prices of the models that unknown calls with a usage were made to."""
        for model in dict.fromkeys(call.model for call in self.unknown if call.usage):
            if model not in self._prices:
                self.learn_prices(model, to_models((yield models_question(model))))
        with self._lock:  # for a scope beside this one the prices may have come before
            for call in tuple(self._unknown):
                self._estimate(call)

    def ask_logs(self, calls: Iterable[UnknownCall], now_s: float) -> Asking:
        """Ask the service's logs for these calls, newest first, and settle those found.

        By the inference id where the answer's head came, else by the client request id. One that
        several calls share tells nothing.
        """
        wanted = list(calls)
        if not wanted:
            return
        # Counted back from the service's own clock, so that ours may be wrong.
        age_h = int((now_s - min(call.began_s for call in wanted)) // 3600) + 1
        rows: list[LoggedCall] = []
        *_, outermost = self._chain()
        found: dict[UnknownCall, LoggedCall] = {}
        for _ in range(_PAGES):
            question = logs_question(
                period=f"{min(age_h, _LONGEST_H)}h", limit=100, offset=len(rows)
            )
            page = to_logs((yield question))
            rows += page.calls
            found = match(wanted, rows, outermost._accounted)
            if len(found) == len(wanted) or not page.has_more or not page.calls:
                break
        for call, row in found.items():
            self.resolve(call, row)

    def __str__(self) -> str:
        return "\n".join([table(self.by_model), *self._remarks()])

    def _remarks(self) -> Iterator[str]:
        unknown = self.unknown
        if unknown:
            reasons = ", ".join(dict.fromkeys(call.why for call in unknown))
            yield f"Cost unknown, and not in the total: {len(unknown)} ({reasons}); see settle()."
        if self._estimated:
            yield f"Estimated for them by live prices: {to_usd(self._estimated):.7f} USD."
        if self.budget_usd is not None:
            yield f"Budget: {self.budget_usd} USD; calls under way at its end may exceed it."


class OpenCall:
    """One call under way, in the scope where it began: begin each request, end the call once."""

    def __init__(self, ledger: Ledger, model: str) -> None:
        self.ledger = ledger
        self._model = model
        self._held: list[tuple[Ledger, int]] = []
        self._requests = 0
        self._ended = False

    def begin_request(self) -> None:
        """Before each request. Raises BudgetExceededError when it may not go out."""
        self._held = self.ledger.reserve(self._model)
        self._requests += 1

    def end_request(self) -> None:
        """A request that failed, and is billed nothing, before it is repeated."""
        self.ledger.release(self._held)
        self._held = []

    @property
    def is_open(self) -> bool:
        """Whether something was sent whose end was not told yet."""
        return self._requests > 0 and not self._ended

    def end(
        self,
        credits: int,
        usage: Usage | None = None,
        *,
        failed: bool = False,
        inference_id: str | None = None,
    ) -> None:
        """The call's end, its cost known. `inference_id`: of a call without an id of its own."""
        self._close(credits, usage, failed)
        if inference_id is not None:
            self.ledger.account_for(inference_id)

    def end_unknown(self, call: UnknownCall, *, failed: bool) -> None:
        """The call's end, its cost unknown."""
        with self.ledger._lock:  # the hold and the doubt change hands at once
            self._close(0, call.usage, failed)
            self.ledger.add_unknown(call)

    def _close(self, credits: int, usage: Usage | None, failed: bool) -> None:
        self._ended = True
        more = totals_of(usage) + Totals(
            calls=1,
            retries=self._requests - 1,
            failed=int(failed),
            priced=int(credits > 0),
            credits=credits,
        )
        with self.ledger._lock:
            self.end_request()
            self.ledger.add(self._model, more)
