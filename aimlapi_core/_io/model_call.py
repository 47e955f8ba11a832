"""One call of a model: its HTTP request, its decoded reply, its errors. Shared by both clients."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

import httpx

from aimlapi_core._error_reading.messages import MAX_NAME_CHARS, MAX_SENTENCE_CHARS
from aimlapi_core._error_reading.responses import parse_body
from aimlapi_core._io.call_observer import observe_call
from aimlapi_core._io.concurrency_limit import slot_for
from aimlapi_core._io.connections import AsyncPooledClient, PooledClient
from aimlapi_core._io.http_call import HTTPCall
from aimlapi_core._io.shared_connections import AsyncHTTPClient, HTTPClient
from aimlapi_core._late import late_module
from aimlapi_core._values.readable import quoted, readable
from aimlapi_core._wire.endpoint import PreparedRequest
from aimlapi_core._wire.json_encoding import encode_json
from aimlapi_core._wire.stream_reader import StreamReader
from aimlapi_core._wire.validation.any_model import (
    MAX_REQUEST_ID_LENGTH,
    check_client_request_id,
    is_client_request_id,
)
from aimlapi_core.errors import ConfigurationError, StreamCutError
from aimlapi_core.models import listed_models, model_info, nearest, nearest_model
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

if TYPE_CHECKING:
    from aimlapi_core._wire.embeddings import EmbeddingBatch
    from aimlapi_core.models import deprecations
else:
    deprecations = late_module("aimlapi_core.models.deprecations")

PreparedT = TypeVar("PreparedT", PreparedRequest, "EmbeddingBatch")


class ModelCall(HTTPCall, Generic[PreparedT]):
    """One call of a model, made once and used for each attempt."""

    def __init__(
        self,
        settings: Settings,
        prepared: PreparedT,
        user_agent: str,
        request: ChatRequest | EmbeddingRequest | None = None,
        keyed: Settings | None = None,
    ) -> None:
        super().__init__(settings, keyed)
        self.prepared: PreparedT = prepared
        self.url = settings.resolved_base_url() + prepared.path
        self.content = encode_json(prepared.body)
        generated_id = os.urandom(16).hex()
        run_id = getattr(request, "run_id", None)
        own = {
            "X-Client-Request-Id": run_id if is_client_request_id(run_id) else generated_id,
            "Content-Type": "application/json",
            "User-Agent": user_agent,
        }
        self.headers = self.checked_headers(own, settings.default_headers, prepared.headers)
        # The id is the first item of `own`, so also of the merged headers, whatever its case.
        self._id_header, given = next(iter(self.headers.items()))
        self._has_unique_id = given is generated_id
        if not self._has_unique_id:
            check_client_request_id(given)
            # Each batch has its own id.
            if not isinstance(prepared, PreparedRequest) and prepared.start:
                given = _suffixed(given, f".b{prepared.start}")
        self._call_id = self.client_request_id = given
        self.headers[self._id_header] = given
        self._reader: StreamReader | None = None
        model = str(prepared.body.get("model"))
        endpoint = getattr(prepared, "endpoint", "embeddings")
        self.observer = observe_call(settings, request, endpoint, model, self.url)
        if settings.max_concurrency is not None:
            self.slot = slot_for(settings.max_concurrency, self.url, self.headers)

    def build_request(self, http: HTTPClient | AsyncHTTPClient) -> httpx.Request:
        """The httpx request for one attempt, with its own id. Raises BudgetExceededError."""
        if self._requests:
            self.client_request_id = _suffixed(self._call_id, f".r{self._requests}")
            self.headers[self._id_header] = self.client_request_id
        if self.observer is not None:
            self.observer.begin_request(self.client_request_id, self._has_unique_id)
        self._count_request()
        timeout = _timeout(self.settings, http)
        try:
            return http.build_request(
                "POST", self.url, content=self.content, headers=self.headers, timeout=timeout
            )
        except (httpx.InvalidURL, UnicodeError, TypeError) as exc:
            raise ConfigurationError(f"{self.url!r} cannot be asked: {exc}") from exc

    def slot_timeout_s(self, http: HTTPClient | AsyncHTTPClient) -> float | None:
        """The pool time-out of the call."""
        return _timeout(self.settings, http).pool

    def _not_found_hint(self) -> str:
        model = str(self.prepared.body.get("model"))
        requested = f"{quoted(model, MAX_NAME_CHARS)} was asked on {self.url}"
        entry = deprecations.known_deprecation(self.settings.resolved_base_url(), model)
        if entry is not None and entry.has_ended:
            return f"{requested}: that model is {entry.describe()}."
        if not isinstance(self.prepared, PreparedRequest):
            return f"{requested}."
        other: Endpoint = "responses" if self.prepared.endpoint == "chat" else "chat"
        info = model_info(model)
        if info is None:
            if near := nearest_model(model):
                return f"{requested}; did you mean {near!r}?"
            near = nearest(model, listed_models(), cutoff=0.85)
            requested += f"; did you mean {near!r}? If not," if near else ";"
            return f'{requested} endpoint="{other}" is the other one to try.'
        advice = f'; endpoint="{other}" is the other one to try' if other in info.params else ""
        if entry is not None:
            return f"{requested}{advice}. That model is {entry.describe()}."
        command = f"python -m aimlapi_core deprecations {info.id}"
        return f"{requested}{advice}. `{command}` says whether it was withdrawn."

    def decode_reply(self: ModelCall[PreparedRequest], body: bytes) -> Reply:
        """Decode the body of a 2xx response."""
        return self.finish_reply(self.prepared.decode_body(body, self.response_headers))

    def decode_embeddings(
        self: ModelCall[EmbeddingBatch], body: bytes
    ) -> tuple[EmbeddingReply, Transport]:
        """Decode the body of a 2xx response of the embeddings endpoint."""
        reply = self.prepared.decode(parse_body(body), self.response_headers)
        if self.observer is not None:
            self.observer.finish(reply, self.response_headers)
        return reply, self.transport()

    def stream_reader(self: ModelCall[PreparedRequest]) -> StreamReader:
        """Create the reader for the body of a 2xx response."""
        self._reader = self.prepared.stream_reader(self.response_headers)
        return self._reader

    def finish_event(self, event: StreamEvent) -> StreamEvent:
        """Return `event`; if it is Finished, with its reply finished too."""
        if type(event) is not Finished:
            return event
        reply = event.reply if self._reader is None else self._reader.finished(event.reply)
        return Finished(self.finish_reply(reply))

    def finish_reply(self, reply: Reply) -> Reply:
        """Report a complete reply; returns it with its `transport`."""
        if self.observer is not None:
            stopped = self._reader is not None and self._reader.stopped_early
            self.observer.finish(reply, self.response_headers, stopped=stopped)
        return replace(reply, transport=self.transport())

    def transport(self) -> Transport:
        """Status, headers and ids of the HTTP response."""
        return Transport(
            status_code=self.status_code,
            request_id=self.response_headers.get("x-request-id"),
            inference_id=self.response_headers.get("x-inference-id"),
            client_request_id=self.client_request_id,
            headers=self.response_headers,
        )

    def stream_cut_error(self, exc: Exception, reader: StreamReader) -> StreamCutError:
        """The error for a transport exception in the middle of a stream."""
        detail = readable(str(exc), MAX_SENTENCE_CHARS)
        return StreamCutError(
            f"The stream broke off ({type(exc).__name__}: {detail}): what came is not the whole "
            "answer. Nothing is repeated, since it may be billed; the part that came is in "
            ".partial.",
            partial=reader.partial(),
        )


def _timeout(settings: Settings, http: HTTPClient | AsyncHTTPClient) -> httpx.Timeout:
    given = settings.timeout
    if given == DEFAULT_TIMEOUT_S and not isinstance(http, (PooledClient, AsyncPooledClient)):
        return http.timeout
    if given is None or isinstance(given, httpx.Timeout):
        return httpx.Timeout(given)
    if isinstance(given, (int, float)):
        return _timeout_of(given)
    return httpx.Timeout(**given.as_dict())  # that of httpx2


@lru_cache(maxsize=16)
def _timeout_of(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT_S))


def _suffixed(name: str, suffix: str) -> str:
    """A client request id with a suffix, truncated to the maximum length."""
    return name[: MAX_REQUEST_ID_LENGTH - len(suffix)] + suffix
