"""Words of the messages about HTTP error responses: bounded, without control characters."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from urllib.parse import urljoin

from aimlapi_core._values.readable import readable

MAX_TEXT_CHARS = 4_096
"""Of the service's own sentence, in an attribute."""

MAX_SENTENCE_CHARS = 300
"""Of what a message quotes."""

MAX_NAME_CHARS = 100
"""Of ids and names."""

_MAX_SHOWN_FIELDS = 10  # in a message
_MAX_FIELDS = 100
_PATHS = ("/chat/completions", "/responses", "/embeddings")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def status_message(
    status_code: int, text: str, fields: Mapping[str, str], request_id: str | None, hint: str
) -> str:
    """The message of an error: what the service said, its fields, its request id, what to do."""
    said = readable(text, MAX_SENTENCE_CHARS).rstrip(" .") or "no message"
    named = "".join(
        f" [{name}: {reason}]"
        for name, reason in readable_fields(fields, _MAX_SHOWN_FIELDS).items()
    )
    left_out = len(fields) - _MAX_SHOWN_FIELDS
    more = f" and {left_out:,} more fields" if left_out > 0 else ""
    ident = f" (request id {readable(request_id, MAX_NAME_CHARS)})" if request_id else ""
    return f"HTTP {status_code}: {said}{named}{more}{ident}. {hint}"


def readable_fields(fields: Mapping[str, str], most: int = _MAX_FIELDS) -> dict[str, str]:
    """The first fields, with bounded names and reasons."""
    return {
        readable(name, MAX_NAME_CHARS): readable(reason, MAX_SENTENCE_CHARS)
        for name, reason in islice(fields.items(), most)
    }


def redirect_hint(status_code: int, location: str | None, url: str) -> str | None:
    """What to do about a redirect of `url`; None if the response is none, or has no address."""
    if status_code not in _REDIRECTS or not location:
        return None
    try:
        target = urljoin(url, location)
    except ValueError:
        target = location
    shown = readable(target, MAX_SENTENCE_CHARS)
    path = next((path for path in _PATHS if url.endswith(path) and target.endswith(path)), None)
    advice = (
        f"set base_url={shown.removesuffix(path)!r}" if path and target != url else "check base_url"
    )
    return f"A redirect to {shown}; it is not followed, as that host would get the key: {advice}."
