"""Reports each call to the open cost scope, the tracer and the debug log.

No observer is created if none of them is active, so an unobserved call costs one check.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aimlapi_core import _otel
from aimlapi_core._late import late_module
from aimlapi_core._wire.usage import parse_cost
from aimlapi_core.costs.nested_scope import innermost_scope
from aimlapi_core.errors import (
    AIMLAPIError,
    AnswerFailedError,
    StatusError,
    StreamError,
    TransportError,
    UnexpectedReplyError,
)
from aimlapi_core.models import is_router
from aimlapi_core.settings import Settings
from aimlapi_core.types import (
    ChatRequest,
    Cost,
    EmbeddingReply,
    EmbeddingRequest,
    Reply,
    Usage,
)

if TYPE_CHECKING:
    from aimlapi_core.costs import call_cost, pending_call, reconciliation, totals, unknown_call
    from aimlapi_core.costs import ledger as ledgers
    from aimlapi_core.costs.call_cost import CallCost
    from aimlapi_core.costs.pending_call import PendingCall
    from aimlapi_core.costs.reconciliation import LookupSteps
    from aimlapi_core.costs.unknown_call import UnknownCall
else:
    call_cost = late_module("aimlapi_core.costs.call_cost")
    ledgers = late_module("aimlapi_core.costs.ledger")
    pending_call = late_module("aimlapi_core.costs.pending_call")
    reconciliation = late_module("aimlapi_core.costs.reconciliation")
    totals = late_module("aimlapi_core.costs.totals")
    unknown_call = late_module("aimlapi_core.costs.unknown_call")

logger = logging.getLogger("aimlapi")


def observe_call(
    settings: Settings,
    request: ChatRequest | EmbeddingRequest | None,
    endpoint: str,
    model: str,
    url: str,
) -> CallObserver | None:
    """Create the observer of one call; None if no scope, tracer or debug log is active."""
    ledger = None if innermost_scope() is None else ledgers.current_ledger()
    tracing = _otel.active
    is_logged = logger.isEnabledFor(logging.DEBUG)
    if ledger is None and tracing is None and not is_logged:
        return None
    call = pending_call.PendingCall(ledger, model) if ledger is not None else None
    return CallObserver(settings, request, endpoint, model, url, call, tracing, is_logged)


class CallObserver:
    """Observes one call: each request and retry, the first event, and once the end."""

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
        self._started_s = time.monotonic()
        self._first_event_s: float | None = None
        self._requests = 0
        self._is_in_flight = False
        self._is_finished = False
        self._is_routed = is_router(model) and not _returns_results(request)
        self._client_request_id = ""
        self._has_unique_id = False
        self._span: _otel.Span | None = None
        if tracing is not None:
            operation = "embeddings" if endpoint == "embeddings" else "chat"
            self._span = tracing.start(request, model, url, operation)

    def budget_lookups(self) -> LookupSteps | None:
        """The account requests that a budget needs before the next request; None without one."""
        if self._call is None or not self._call.ledger.has_budget():
            return None
        return reconciliation.budget_lookups(self._call.ledger, time.monotonic())

    def budget_lookup_failed(self, error: AIMLAPIError) -> None:
        """A price or log lookup for a budget failed: the budget will reject the request."""
        logger.warning("A budget could not ask what earlier calls cost: %s", error)

    def begin_request(self, client_request_id: str, has_unique_id: bool) -> None:
        """Before each request. Raises BudgetExceededError if it must not be sent."""
        if self._call is not None:
            self._call.begin_request()
        self._is_in_flight = True
        self._requests += 1
        self._client_request_id = client_request_id
        self._has_unique_id = has_unique_id

    def not_sent(self) -> None:
        """The request was withdrawn before the service had it whole."""
        self._is_in_flight = False

    def retry(self, error: AIMLAPIError, delay_s: float) -> None:
        """A request failed and is repeated after a delay."""
        self._is_in_flight = False
        headers = error.headers if isinstance(error, StatusError) else {}
        if self._call is not None:
            inference_id = headers.get("x-inference-id")
            self._call.end_request(None if self._has_unique_id else inference_id)
        if self._is_logged:
            failure = {"error": type(error).__name__, "delay_s": round(delay_s, 3)}
            _log("retry", {**self._identifiers(headers), **failure})

    def first_event(self) -> None:
        """The first event of a stream was received."""
        self._first_event_s = time.monotonic() - self._started_s

    def finish(
        self, reply: Reply | EmbeddingReply, headers: Mapping[str, str], *, stopped: bool = False
    ) -> None:
        """The reply is complete. `stopped`: truncated by this library at a stop sequence."""
        self._finalize(None, reply.usage, reply.cost, headers, "stopped" if stopped else "unstated")
        if self._span is not None:
            if self._tracing is not None and isinstance(reply, Reply):
                self._tracing.record_response(self._span, reply)
            self._span.end()

    def abort(self, error: BaseException | None, headers: Mapping[str, str]) -> None:
        """The call ended without a complete reply; no-op after `finish`."""
        if self._is_finished:
            return
        # Between two requests nothing is in flight: the last one failed and is not billed.
        reason = _unknown_cost_reason(error) if self._is_in_flight else None
        cost = parse_cost(headers, None)
        if isinstance(error, AnswerFailedError) and error.partial is not None:
            cost = cost or error.partial.cost  # of the whole answer, though it failed
        self._finalize(error, None, cost, headers, reason)
        if self._span is not None:
            if self._tracing is not None and isinstance(error, Exception):
                self._tracing.record_error(self._span, error)
            self._span.end()

    def _finalize(
        self,
        error: BaseException | None,
        usage: Usage | None,
        cost: Cost | None,
        headers: Mapping[str, str],
        reason: str | None,
    ) -> None:
        self._is_finished = True
        is_failed = isinstance(error, Exception)  # a call closed by its caller did not fail
        if self._call is not None and self._call.is_open:
            self._record_cost(self._call, usage, cost, headers, reason, is_failed)
        outcome = {
            "duration_s": round(time.monotonic() - self._started_s, 6),
            "first_event_s": None if self._first_event_s is None else round(self._first_event_s, 6),
            "requests": self._requests,
            "credits": cost.credits if cost else None,
            "outcome": "ok" if error is None else type(error).__name__,
        }
        if self._is_logged:
            _log("call", {**self._identifiers(headers), **outcome})
        if self._span is not None:
            self._record_attributes(self._span, usage, cost, headers)

    def _record_cost(
        self,
        call: PendingCall,
        usage: Usage | None,
        cost: Cost | None,
        headers: Mapping[str, str],
        reason: str | None,
        is_failed: bool,
    ) -> None:
        inference_id = headers.get("x-inference-id")
        is_known = cost is not None or reason is None
        ended = call_cost.CallCost(
            model=self._model,
            endpoint=self._endpoint,
            ended_at=time.time(),
            duration_s=round(time.monotonic() - self._started_s, 6),
            requests=self._requests,
            failed=is_failed,
            credits=totals.reported_credits(cost) if cost else 0 if is_known else None,
            usage=usage,
            client_request_id=self._client_request_id,
            inference_id=inference_id,
        )
        if reason is None or is_known:
            call.end(ended, inference_id=None if self._has_unique_id else inference_id)
            if cost is not None and self._is_routed:
                call.ledger.add_routed(self._open_call(ended, "routed", call))
            return
        call.end_unknown(self._open_call(ended, reason, call))

    def _open_call(self, ended: CallCost, reason: str, call: PendingCall) -> UnknownCall:
        return unknown_call.UnknownCall(
            call_cost=ended,
            reason=reason,
            began_s=self._started_s,
            settings=self._settings,
            has_unique_id=self._has_unique_id,
            ledger=call.ledger,
            is_routed=self._is_routed,
        )

    def _identifiers(self, headers: Mapping[str, str]) -> dict[str, Any]:
        return {
            "model": self._model,
            "endpoint": self._endpoint,
            "client_request_id": self._client_request_id,
            "inference_id": headers.get("x-inference-id"),
            "request_id": headers.get("x-request-id"),
        }

    def _record_attributes(
        self, span: _otel.Span, usage: Usage | None, cost: Cost | None, headers: Mapping[str, str]
    ) -> None:
        ids = self._identifiers(headers)
        attributes: dict[str, Any] = {
            "gen_ai.response.time_to_first_chunk": self._first_event_s,
            "aimlapi.client_request_id": ids["client_request_id"] or None,
            "aimlapi.inference_id": ids["inference_id"],
            "aimlapi.request_id": ids["request_id"],
            "aimlapi.endpoint": self._endpoint,
            "aimlapi.requests": self._requests,
            "aimlapi.cost.credits": cost.credits if cost else None,
            "aimlapi.cost.usd": cost.usd if cost else None,
        }
        span.set_attributes(_otel.without_none(attributes))
        if usage is not None:
            span.set_attributes(_otel.usage_attributes(usage))


def _returns_results(request: ChatRequest | EmbeddingRequest | None) -> bool:
    """Whether a request returns tool results: a router chooses no model for it [D its page]."""
    return isinstance(request, ChatRequest) and request.messages[-1].role == "tool"


def _unknown_cost_reason(error: BaseException | None) -> str | None:
    """Why the cost of a call that ended with `error` is unknown; None if it is known to be 0.

    A request that was not sent, or that the service rejected, is not billed [D logs-v2.json].
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


def _log(event: str, fields: Mapping[str, Any]) -> None:
    """Log one debug record: as text, and as a dict in its attribute `aimlapi`."""
    text = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
    logger.debug("%s %s", event, text, extra={"aimlapi": {"event": event, **fields}})
