"""What both clients do around their I/O lines: the request to send, what a failure means."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from typing import Generic, TypeVar

import httpx

from aimlapi_core._error_responses import parse_body
from aimlapi_core._io.call_observer import watch
from aimlapi_core._io.concurrency_limit import slot_for
from aimlapi_core._io.http_call import Sending
from aimlapi_core._io.shared_connections import AsyncHttp, Http
from aimlapi_core._wire.embeddings import EmbeddingBatch
from aimlapi_core._wire.endpoint import PreparedRequest
from aimlapi_core._wire.json_encoding import encode_json
from aimlapi_core._wire.stream_reader import StreamReader
from aimlapi_core._wire.validation import (
    MAX_REQUEST_ID_LENGTH,
    check_client_request_id,
    is_client_request_id,
)
from aimlapi_core.errors import ConfigurationError, StreamCutError
from aimlapi_core.models import model_info
from aimlapi_core.settings import CONNECT_TIMEOUT_S, DEFAULT_TIMEOUT_S, Settings
from aimlapi_core.types import (
    ChatRequest,
    EmbeddingReply,
    EmbeddingRequest,
    Endpoint,
    Finished,
    Reply,
    StreamEvent,
    Transport,
)

PlanT = TypeVar("PlanT", PreparedRequest, EmbeddingBatch)


class Exchange(Sending, Generic[PlanT]):
    """One call: its HTTP request, and the errors it can end in. Made once, used for each try."""

    def __init__(
        self,
        settings: Settings,
        plan: PlanT,
        user_agent: str,
        asked: ChatRequest | EmbeddingRequest | None = None,
    ) -> None:
        super().__init__(settings)
        self.plan: PlanT = plan
        self.url = settings.resolved_base_url() + plan.path
        self.content = encode_json(plan.body)
        fresh = os.urandom(16).hex()
        run_id = getattr(asked, "run_id", None)
        own = {
            "X-Client-Request-Id": run_id if is_client_request_id(run_id) else fresh,
            "Content-Type": "application/json",
            "User-Agent": user_agent,
        }
        self.headers = self.checked_headers(own, settings.default_headers, plan.headers)
        # The id stands first in `own`, and so in what is merged, however it is spelled there.
        self._id_header, given = next(iter(self.headers.items()))
        self._is_fresh = given is fresh
        if not self._is_fresh:
            check_client_request_id(given)
            if isinstance(plan, EmbeddingBatch) and plan.start:  # a batch is a request of its own
                given = _suffixed(given, f".b{plan.start}")
        self._call_id = self.client_request_id = given
        self.headers[self._id_header] = given
        self._reader: StreamReader | None = None
        model, endpoint = str(plan.body.get("model")), getattr(plan, "endpoint", "embeddings")
        self.watch = watch(settings, asked, endpoint, model, self.url)
        if settings.max_concurrency is not None:
            self.slot = slot_for(settings.max_concurrency, self.url, self.headers)

    def request(self, http: Http | AsyncHttp) -> httpx.Request:
        """The request for one try, by an id of its own. Raises BudgetExceededError."""
        if self._requests:
            self.client_request_id = _suffixed(self._call_id, f".r{self._requests}")
            self.headers[self._id_header] = self.client_request_id
        if self.watch is not None:
            self.watch.begin_request(self.client_request_id, self._is_fresh)
        self._count_request()
        timeout = _timeout(self.settings, http)
        try:
            return http.build_request(
                "POST", self.url, content=self.content, headers=self.headers, timeout=timeout
            )
        except (httpx.InvalidURL, UnicodeError, TypeError) as exc:
            raise ConfigurationError(f"{self.url!r} cannot be asked: {exc}") from exc

    def patience_s(self, http: Http | AsyncHttp) -> float | None:
        """As many seconds as for a connection that is free."""
        return _timeout(self.settings, http).pool

    def _not_found_hint(self) -> str:
        model = self.plan.body.get("model")
        asked = f"{model!r} was asked on {self.url}"
        if isinstance(self.plan, EmbeddingBatch):
            return f"{asked}."
        other: Endpoint = "responses" if self.plan.endpoint == "chat" else "chat"
        info = model_info(str(model))
        if info is not None and other not in info.params:
            return f"{asked}."
        return f'{asked}; endpoint="{other}" is the other one to try.'

    def decoded(self: Exchange[PreparedRequest], body: bytes) -> Reply:
        """The Reply of a 2xx answer with this body."""
        return self.finished(self.plan.decode(parse_body(body), self.head))

    def vectors(self: Exchange[EmbeddingBatch], body: bytes) -> tuple[EmbeddingReply, Transport]:
        """The vectors of a 2xx answer with this body."""
        reply = self.plan.decode(parse_body(body), self.head)
        if self.watch is not None:
            self.watch.finish(reply, self.head)
        return reply, self.transport()

    def reader(self: Exchange[PreparedRequest], response: httpx.Response) -> StreamReader:
        """A reader for the body of a 2xx answer."""
        self._reader = self.plan.stream_reader(self.head)
        return self._reader

    def finished_event(self, event: StreamEvent) -> StreamEvent:
        """`event`, with the facts of the HTTP answer where it is the last one."""
        if type(event) is not Finished:
            return event
        return Finished(self.finished(event.reply))

    def finished(self, reply: Reply) -> Reply:
        """`reply` with the facts of its HTTP answer."""
        if self.watch is not None:
            stopped = self._reader is not None and self._reader.stopped_early
            self.watch.finish(reply, self.head, stopped=stopped)
        return replace(reply, transport=self.transport())

    def transport(self) -> Transport:
        """The facts of the HTTP answer."""
        return Transport(
            status_code=self.status_code,
            request_id=self.head.get("x-request-id"),
            inference_id=self.head.get("x-inference-id"),
            client_request_id=self.client_request_id,
            headers=self.head,
        )

    def cut(self, exc: Exception, reader: StreamReader) -> StreamCutError:
        """The error of a failure of the transport inside the body."""
        return StreamCutError(
            f"The stream broke off ({type(exc).__name__}: {exc}): what came is not the whole "
            "answer. Nothing is repeated, since it may be billed; the part that came is in "
            ".partial.",
            partial=reader.partial(),
        )


def _timeout(settings: Settings, http: Http | AsyncHttp) -> httpx.Timeout:
    given = settings.timeout
    if given == DEFAULT_TIMEOUT_S and http in (settings.http_client, settings.http_async_client):
        return http.timeout
    if given is None or isinstance(given, httpx.Timeout):
        return httpx.Timeout(given)
    return _timeout_of(given)


@lru_cache(maxsize=16)
def _timeout_of(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT_S))


def _suffixed(name: str, suffix: str) -> str:
    """A client request id with a suffix, its beginning cut where it would be too long."""
    return name[: MAX_REQUEST_ID_LENGTH - len(suffix)] + suffix
