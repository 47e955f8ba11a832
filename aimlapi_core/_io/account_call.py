"""GETs of the account: balance, logs, catalogue. Sent by the same lines as calls, and repeated
by the same policy; watched by nobody, for they cost nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from aimlapi_core._error_responses import parse_body
from aimlapi_core._io.http_call import Sending
from aimlapi_core._io.shared_connections import AsyncHttp, Http
from aimlapi_core.account import OfferedModel, Question, models_question, to_models
from aimlapi_core.errors import (
    AIMLAPIError,
    ConfigurationError,
    RequestTimeoutError,
    StatusError,
    UnexpectedReplyError,
)
from aimlapi_core.settings import Settings

# Of a second or less when the service is well: nobody waits ten minutes for a balance.
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a GET was answered with. `payload` is None when nothing has changed (304)."""

    payload: Any
    etag: str | None


class Inquiry(Sending):
    """One GET: its request, and the errors it can end in."""

    def __init__(self, settings: Settings, question: Question, user_agent: str) -> None:
        super().__init__(settings)
        self._etag = question.etag
        root = settings.resolved_base_url()
        root = next((root[: -len(end)] for end in ("/v1", "/v2") if root.endswith(end)), root)
        query = f"?{urlencode(question.query)}" if question.query else ""
        self.url = f"{root}{question.path}{query}"
        conditional = {"If-None-Match": question.etag} if question.etag else {}
        self.client_request_id = os.urandom(16).hex()
        own = {
            "X-Client-Request-Id": self.client_request_id,
            "User-Agent": user_agent,
        }
        self.headers = self.checked_headers(own, conditional, settings.default_headers)

    def request(self, http: Http | AsyncHttp) -> httpx.Request:
        """The request for one try."""
        self._count_request()
        timeout = httpx.Timeout(TIMEOUT_S)
        try:
            return http.build_request(
                "GET", self.url, content=b"", headers=self.headers, timeout=timeout
            )
        except (httpx.InvalidURL, UnicodeError, TypeError) as exc:
            raise ConfigurationError(f"{self.url!r} cannot be asked: {exc}") from exc

    def broken(self, exc: Exception) -> AIMLAPIError:
        """The error of a failure of the transport; nothing of it is billed."""
        error = super().broken(exc)
        if isinstance(error, RequestTimeoutError):
            error.args = (f"No answer from {self.url} within {TIMEOUT_S:g} seconds.",)
        return error

    def told(self, body: bytes) -> Told:
        """The answer's JSON. Raises UnexpectedReplyError for anything else."""
        payload = parse_body(body)
        if isinstance(payload, str):
            raise UnexpectedReplyError(
                f"{self.url} answered no JSON: {payload[:200]!r}", body=payload[:300]
            )
        return Told(payload, self.head.get("etag"))

    def unchanged(self, error: StatusError) -> Told:
        """The answer to a conditional GET when nothing has changed; raises any other error."""
        if error.status_code != 304:
            raise error
        return Told(None, self._etag)


class Catalogue:
    """The models that were offered, kept with their ETag: asked for again, sent only if changed."""

    def __init__(self) -> None:
        self._kept: dict[str | None, tuple[str, tuple[OfferedModel, ...]]] = {}

    def question(self, model: str | None) -> Question:
        """What asks for the models, or for one."""
        kept = self._kept.get(model)
        return models_question(model, kept[0] if kept else None)

    def take(self, model: str | None, told: Told) -> tuple[OfferedModel, ...]:
        """The rows that an answer means."""
        if told.payload is None and model in self._kept:
            return self._kept[model][1]
        offered = to_models(told.payload)
        if told.etag and told.etag.isascii() and told.etag.isprintable():  # else it cannot be sent
            self._kept[model] = (told.etag, offered)
        return offered
