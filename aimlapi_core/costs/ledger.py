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
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from decimal import Decimal
from functools import partial
from typing import Any, ParamSpec, Self, TypeVar, cast

from aimlapi_core.account import LoggedCall, OfferedModel, Prices
from aimlapi_core.costs.budget import Budget, OnUnknownCost
from aimlapi_core.costs.totals import Totals, sum_of, table, to_usd
from aimlapi_core.costs.unknown_call import UnknownCall
from aimlapi_core.errors import ConfigurationError

P = ParamSpec("P")
R = TypeVar("R")


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
        self._outside: Ledger | None = None  # the innermost again when this one has ended
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
        self._accounted: set[str] = set()

    def __enter__(self) -> Self:
        if self._was_opened:
            raise ConfigurationError("A scope of costs is opened once; make another one.")
        self._was_opened = True
        self._parent = self._outside = _innermost.get()
        if self._parent is not None:
            self._lock, self._prices = self._parent._lock, self._parent._prices
        _innermost.set(self)
        return self

    def __exit__(self, *exc: object) -> None:
        inside = _innermost.get()
        if inside is self:
            _innermost.set(self._outside)
        # Left in another context than entered: nothing to undo. Left before a scope inside it,
        # which a generator may hold open: that one's end must not bring this one back.
        while inside is not None and inside is not self:
            if inside._outside is self:
                inside._outside = self._outside
            inside = inside._outside

    def wrap(self, function: Callable[P, R]) -> Callable[P, R]:
        """`function`, with this scope open while it runs: for threads that inherit no context.

        `threading.Thread` and `ThreadPoolExecutor` inherit none, but for Python 3.14's
        `-X thread_inherit_context`. Raises ConfigurationError for a function that yields.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigurationError(
                f"{function!r} yields, and works after it has returned: wrap a function that "
                "calls it and reads all it gives."
            )
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
    def estimated_usd(self) -> Decimal:
        """`estimated_credits` in dollars: an estimate, no part of `usd`."""
        return to_usd(self.estimated_credits)

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

    def chain(self) -> Iterator[Ledger]:
        """This scope and those around it."""
        ledger: Ledger | None = self
        while ledger is not None:
            yield ledger
            ledger = ledger._parent

    def add(self, model: str, more: Totals) -> None:
        """Add to the sums of a model, here and in the scopes around."""
        with self._lock:
            for ledger in self.chain():
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
            for ledger in self.chain():
                ledger._check()
            held = [(ledger, ledger._expected(model)) for ledger in self.chain()]
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

    def refuses_unknown(self) -> bool:
        """Whether the budget takes no estimate for a cost that did not come."""
        return self._budget is not None and self._budget.refuses_unknown

    def doubtful(self) -> list[UnknownCall]:
        """The calls that keep the budget from being watched; none where there is no budget."""
        if self._budget is None or not self._unknown:
            return []
        refuses = self._budget.refuses_unknown
        return [call for call in self.unknown if refuses or call.estimated_credits is None]

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
            for ledger in self.chain():
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
            for ledger in call.ledger.chain():
                ledger._estimated += call.estimated_credits
                ledger._unestimated -= 1

    def estimate(self) -> None:
        """Estimate what can be estimated by the prices that are known so far."""
        with self._lock:
            for call in tuple(self._unknown):
                self._estimate(call)

    def knows_price(self, model: str) -> bool:
        """Whether the catalogue was asked for a model's price."""
        return model in self._prices

    def learn_prices(self, model: str, offered: Iterable[OfferedModel]) -> None:
        """Take in a model's live prices, out of rows that may be of other models too."""
        own = (row.prices for row in offered if model in (row.id, *row.aliases))
        with self._lock:
            self._prices[model] = next((prices for prices in own if prices), None)

    def resolve(self, call: UnknownCall, found: LoggedCall) -> None:
        """The service's logs say what an unknown call cost: it is unknown no more."""
        tokens = Totals()
        if call.usage is None:
            tokens = Totals(input_tokens=found.input_tokens, output_tokens=found.output_tokens)
        with self._lock:
            if call not in call.ledger.unknown:  # settled by somebody else meanwhile
                return
            for ledger in call.ledger.chain():
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
            self.accounted().add(inference_id)

    def accounted(self) -> set[str]:
        """The inferences of known calls whose client request id others may have too."""
        *_, outermost = self.chain()
        return outermost._accounted

    def is_watched(self) -> bool:
        """Whether a scope here or around has a budget."""
        return any(ledger._budget is not None for ledger in self.chain())

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
            yield f"Budget: {self.budget_usd:f} USD; calls under way at its end may exceed it."
