"""GET requests to the account API: balance, logs, lists with an ETag cache.

Sent and retried like model calls, but not reported to costs and spans: they are free.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import httpx

from aimlapi_core._error_reading.responses import parse_body
from aimlapi_core._io.http_call import HTTPCall
from aimlapi_core._io.shared_connections import AsyncHTTPClient, HTTPClient
from aimlapi_core.account import AccountRequest
from aimlapi_core.errors import (
    AIMLAPIError,
    ConfigurationError,
    RequestTimeoutError,
    StatusError,
    UnexpectedReplyError,
)
from aimlapi_core.settings import Settings

# They take about a second: the time-out of a model call, ten minutes, would be too long.
TIMEOUT_S = 30.0
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class AccountResponse:
    """The response to a GET. `payload` is the parsed JSON, None for 304 Not Modified."""

    payload: Any
    etag: str | None


class AccountCall(HTTPCall):
    """One GET request: its URL and headers, its parsed response, its errors."""

    def __init__(
        self,
        settings: Settings,
        request: AccountRequest,
        user_agent: str,
        keyed: Settings | None = None,
    ) -> None:
        super().__init__(settings, keyed, needs_key=request.needs_key)
        self._etag = request.etag
        root = settings.resolved_base_url()
        root = next((root[: -len(end)] for end in ("/v1", "/v2") if root.endswith(end)), root)
        query = f"?{urlencode(request.query)}" if request.query else ""
        self.url = f"{root}{request.path}{query}"
        conditional = {"If-None-Match": request.etag} if request.etag else {}
        self.client_request_id = os.urandom(16).hex()
        own = {
            "X-Client-Request-Id": self.client_request_id,
            "User-Agent": user_agent,
        }
        self.headers = self.checked_headers(own, conditional, settings.default_headers)

    def build_request(self, http: HTTPClient | AsyncHTTPClient) -> httpx.Request:
        """The httpx request for one attempt."""
        self._count_request()
        timeout = httpx.Timeout(TIMEOUT_S)
        try:
            return http.build_request(
                "GET", self.url, content=b"", headers=self.headers, timeout=timeout
            )
        except (httpx.InvalidURL, UnicodeError, TypeError) as exc:
            raise ConfigurationError(f"{self.url!r} cannot be asked: {exc}") from exc

    def transport_error(self, exc: Exception) -> AIMLAPIError:
        """The error for a transport exception; a GET is not billed."""
        error = super().transport_error(exc)
        if isinstance(error, RequestTimeoutError):
            error.args = (f"No answer from {self.url} within {TIMEOUT_S:g} seconds.",)
        return error

    def parse_response(self, body: bytes) -> AccountResponse:
        """Parse a 2xx body. Raises UnexpectedReplyError if it is not JSON."""
        payload = parse_body(body)
        if isinstance(payload, str):
            raise UnexpectedReplyError(
                f"{self.url} answered no JSON: {payload[:200]!r}", body=payload[:300]
            )
        return AccountResponse(payload, self.response_headers.get("etag"))

    def not_modified_response(self, error: StatusError) -> AccountResponse:
        """The response for status 304; raises `error` for any other status."""
        if error.status_code != 304:
            raise error
        return AccountResponse(None, self._etag)


class ETagCache(Generic[Value]):
    """Cache of a list of the service by its query, revalidated with ETag / If-None-Match."""

    def __init__(
        self,
        request: Callable[[str | None, str | None], AccountRequest],
        parse: Callable[[Any], Value],
    ) -> None:
        """`request(query, etag)` makes the GET, `parse(payload)` its value."""
        self._request = request
        self._parse = parse
        self._cached: dict[str | None, tuple[str, Value]] = {}

    def request(self, query: str | None = None) -> AccountRequest:
        """The conditional GET."""
        cached = self._cached.get(query)
        return self._request(query, cached[0] if cached else None)

    def update(self, response: AccountResponse, query: str | None = None) -> Value:
        """The value, from the response or, if not modified, from the cache."""
        if response.payload is None and query in self._cached:
            return self._cached[query][1]
        value, etag = self._parse(response.payload), response.etag
        if etag and etag.isascii() and etag.isprintable():  # else it cannot be sent
            self._cached[query] = (etag, value)
        return value
