"""How cassettes are written and matched, for recording and replaying alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

FOLDER = Path(__file__).parents[2] / "cassettes"
HOST = "api.aimlapi.com"

# Nothing else is kept: no key, no cookie, no account id can slip in with a new header.
_KEPT = {"content-type", "date", "server", "x-inference-id"}
_KEPT |= {"x-aimlapi-credits-used", "x-aimlapi-usd-spent"}


def for_the_service(request: Any) -> Any:
    """The request as the service would get it, without its headers.

    An emulator's address becomes the service's, so that a request that slips past a cassette
    meets a blocked host.
    """
    parts = urlsplit(request.uri)
    request.uri = urlunsplit(("https", HOST, parts.path, parts.query, ""))
    request.headers = {"content-type": "application/json"}
    return request


def without_private_headers(response: dict[str, Any]) -> dict[str, Any]:
    """The answer with the headers that say where it came from and what it cost."""
    kept = {k.lower(): v for k, v in response["headers"].items() if k.lower() in _KEPT}
    return {**response, "headers": kept}


REPLAY: dict[str, Any] = {
    "record_mode": "none",
    "match_on": ("method", "path", "body"),  # vcrpy compares JSON bodies as JSON
    "allow_playback_repeats": False,
    "before_record_request": for_the_service,
    "before_record_response": without_private_headers,
}
