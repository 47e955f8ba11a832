"""What a call tells those that watch it: the open cost scope, the tracer, the debug log.

Nothing is made when nobody watches, so that an unwatched call pays for one look and no more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from aimlapi_core import _otel
from aimlapi_core._wire.usage import parse_cost
from aimlapi_core.costs.ledger import current_ledger
from aimlapi_core.costs.pending_call import PendingCall
from aimlapi_core.costs.reconciliation import LookupSteps, budget_lookups
from aimlapi_core.costs.totals import reported_credits
from aimlapi_core.costs.unknown_call import UnknownCall
from aimlapi_core.errors import (
    AIMLAPIError,
    StatusError,
    StreamError,
    TransportError,
    UnexpectedReplyError,
)
from aimlapi_core.settings import Settings
from aimlapi_core.types import (
    ChatRequest,
    Cost,
    EmbeddingReply,
    EmbeddingRequest,
    Reply,
    Usage,
)

logger = logging.getLogger("aimlapi")


def watch(
    settings: Settings,
    request: ChatRequest | EmbeddingRequest | None,
    endpoint: str,
    model: str,
    url: str,
) -> Watch | None:
    """The watch of one call; None when neither scope, tracer nor debug log wants to know."""
    ledger, tracing = current_ledger(), _otel.active
    is_logged = logger.isEnabledFor(logging.DEBUG)
    if ledger is None and tracing is None and not is_logged:
        return None
    call = PendingCall(ledger, model) if ledger is not None else None
    return Watch(settings, request, endpoint, model, url, call, tracing, is_logged)


class Watch:
    """Follows one call. Told of each request, of the first event, of the end; ended once."""

    def __init__(
        self,
        settings: Settings,
        request: ChatRequest | EmbeddingRequest | None,
        endpoint: str,
        model: str,
        url: str,
        call: PendingCall | None,
        tracing: _otel.Tracing | None,
        is_logged: bool,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._model = model
        self._call = call
        self._tracing = tracing
        self._is_logged = is_logged
        self._began_s = time.monotonic()
        self._first_s: float | None = None
        self._requests = 0
        self._is_under_way = False
        self._is_over = False
        self._client_request_id = ""
        self._has_unique_id = False
        self._span: _otel.Span | None = None
        if tracing is not None:
            operation = "embeddings" if endpoint == "embeddings" else "chat"
            self._span = tracing.start(request, model, url, operation)

    def budget_lookups(self) -> LookupSteps | None:
        """What must be asked before a request can go out; None where no budget wants to know."""
        if self._call is None or not self._call.ledger.has_budget():
            return None
        return budget_lookups(self._call.ledger, time.monotonic())

    def doubt(self, error: AIMLAPIError) -> None:
        """What a budget had to know could not be asked: the request will be refused."""
        logger.warning("A budget could not ask what earlier calls cost: %s", error)

    def begin_request(self, client_request_id: str, has_unique_id: bool) -> None:
        """Before each request. Raises BudgetExceededError when it may not go out."""
        if self._call is not None:
            self._call.begin_request()
        self._is_under_way = True
        self._requests += 1
        self._client_request_id = client_request_id
        self._has_unique_id = has_unique_id

    def repeat(self, error: AIMLAPIError, delay_s: float) -> None:
        """A request failed and is repeated after a wait."""
        self._is_under_way = False
        head = error.headers if isinstance(error, StatusError) else {}
        if self._call is not None:
            refused = head.get("x-inference-id")
            self._call.end_request(None if self._has_unique_id else refused)
        if self._is_logged:
            failed = {"error": type(error).__name__, "delay_s": round(delay_s, 3)}
            _log("retry", {**self._names(head), **failed})

    def first_event(self) -> None:
        """The first event of a stream has come."""
        self._first_s = time.monotonic() - self._began_s

    def finish(
        self, reply: Reply | EmbeddingReply, head: Mapping[str, str], *, stopped: bool = False
    ) -> None:
        """The whole answer has come. `stopped`: cut by this library at a stop sequence."""
        self._over(None, reply.usage, reply.cost, head, "stopped" if stopped else "unstated")
        if self._span is not None:
            if self._tracing is not None and isinstance(reply, Reply):
                self._tracing.record_response(self._span, reply)
            self._span.end()

    def end(self, error: BaseException | None, head: Mapping[str, str]) -> None:
        """The call is left; does nothing when it was finished."""
        if self._is_over:
            return
        # Between two requests nothing is under way: the last was refused, and is billed nothing.
        reason = _unknown_cost_reason(error) if self._is_under_way else None
        self._over(error, None, parse_cost(head, None), head, reason)
        if self._span is not None:
            if self._tracing is not None and isinstance(error, Exception):
                self._tracing.record_error(self._span, error)
            self._span.end()

    def _over(
        self,
        error: BaseException | None,
        usage: Usage | None,
        cost: Cost | None,
        head: Mapping[str, str],
        reason: str | None,
    ) -> None:
        self._is_over = True
        is_failed = isinstance(error, Exception)  # a call that its caller left did not fail
        if self._call is not None and self._call.is_open:
            self._settle(self._call, usage, cost, head, reason, is_failed)
        facts = {
            "duration_s": round(time.monotonic() - self._began_s, 6),
            "first_event_s": None if self._first_s is None else round(self._first_s, 6),
            "requests": self._requests,
            "credits": cost.credits if cost else None,
            "outcome": "ok" if error is None else type(error).__name__,
        }
        if self._is_logged:
            _log("call", {**self._names(head), **facts})
        if self._span is not None:
            self._describe(self._span, usage, cost, head)

    def _settle(
        self,
        call: PendingCall,
        usage: Usage | None,
        cost: Cost | None,
        head: Mapping[str, str],
        reason: str | None,
        is_failed: bool,
    ) -> None:
        inference_id = head.get("x-inference-id")
        if cost is not None or reason is None:
            shared = None if self._has_unique_id else inference_id
            credits = reported_credits(cost) if cost is not None else 0
            call.end(credits, usage, failed=is_failed, inference_id=shared)
            return
        unknown = UnknownCall(
            model=self._model,
            reason=reason,
            client_request_id=self._client_request_id,
            inference_id=inference_id,
            usage=usage,
            estimated_credits=None,
            began_s=self._began_s,
            settings=self._settings,
            has_unique_id=self._has_unique_id,
            ledger=call.ledger,
        )
        call.end_unknown(unknown, failed=is_failed)

    def _names(self, head: Mapping[str, str]) -> dict[str, Any]:
        return {
            "model": self._model,
            "endpoint": self._endpoint,
            "client_request_id": self._client_request_id,
            "inference_id": head.get("x-inference-id"),
            "request_id": head.get("x-request-id"),
        }

    def _describe(
        self, span: _otel.Span, usage: Usage | None, cost: Cost | None, head: Mapping[str, str]
    ) -> None:
        names = self._names(head)
        given: dict[str, Any] = {
            "gen_ai.response.time_to_first_chunk": self._first_s,
            "aimlapi.client_request_id": names["client_request_id"] or None,
            "aimlapi.inference_id": names["inference_id"],
            "aimlapi.request_id": names["request_id"],
            "aimlapi.endpoint": self._endpoint,
            "aimlapi.requests": self._requests,
            "aimlapi.cost.credits": cost.credits if cost else None,
            "aimlapi.cost.usd": cost.usd if cost else None,
        }
        span.set_attributes({name: value for name, value in given.items() if value is not None})
        if usage is not None:
            span.set_attributes(_otel.usage_attributes(usage))


def _unknown_cost_reason(error: BaseException | None) -> str | None:
    """Why the cost of a call that ended so is unknown; None where it is known to be nothing.

    A request that was not sent, or that the service refused, is billed nothing [D logs-v2.json].
    """
    if isinstance(error, StatusError):
        return None
    if isinstance(error, TransportError):
        return "lost" if error.request_sent else None
    if isinstance(error, StreamError):
        return "cut"
    if isinstance(error, UnexpectedReplyError):
        return "unreadable"
    return None if isinstance(error, AIMLAPIError) else "closed"


def _log(what: str, facts: Mapping[str, Any]) -> None:
    """One debug record: readable as text, and as a dict in its attribute `aimlapi`."""
    said = " ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
    logger.debug("%s %s", what, said, extra={"aimlapi": {"event": what, **facts}})
