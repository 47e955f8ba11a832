"""Where the cassettes are, and how requests are matched with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

FOLDER = Path(__file__).parents[2] / "cassettes"
HOST = "api.aimlapi.com"


def for_the_service(request: Any) -> Any:
    """The request as the service would get it, without its headers.

    An emulator's address becomes the service's, so that a request that slips past a cassette
    meets a blocked host.
    """
    parts = urlsplit(request.uri)
    request.uri = urlunsplit(("https", HOST, parts.path, parts.query, ""))
    request.headers = {"content-type": "application/json"}
    return request


REPLAY: dict[str, Any] = {
    "record_mode": "none",
    "match_on": ("method", "path", "body"),  # vcrpy compares JSON bodies as JSON
    "allow_playback_repeats": False,
    "before_record_request": for_the_service,
}
