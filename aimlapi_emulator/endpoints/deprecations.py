"""GET /v1/models/deprecations: the models that are being withdrawn, newest first. No key.

Filters fail open and the ETag is of `data` alone, as the vendor's page says (aimlapi/api-docs at
935f808e, docs/api-references/service-endpoints/model-deprecations.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import get_args
from urllib.parse import parse_qs, urlsplit

from aimlapi_emulator.catalog.deprecations import Deprecation, Status
from aimlapi_emulator.endpoints import error_bodies
from aimlapi_emulator.messages import Request, Response

PATHS = tuple(
    f"{root}/models/{name}"
    for root in ("/v1", "", "/api/v1")
    for name in ("deprecations", "deprecated")
)


def deprecations(
    request: Request, rows: Iterable[Deprecation], headers: Mapping[str, str]
) -> Response:
    """The feed, or a 304 if the request has its ETag."""
    data = [row.to_json() for row in _filtered(request.target, rows)]
    digest = hashlib.sha256(error_bodies.dump(data)).hexdigest()[:27]
    headers = {
        **headers,
        "etag": f'W/"-{digest}"',
        "cache-control": "public, max-age=300",
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(304, headers)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"object": "list", "generated_at": now, "data": data}
    headers = {"content-type": error_bodies.JSON_TYPE, **headers}
    return Response(200, headers, error_bodies.dump(body))


def _filtered(target: str, rows: Iterable[Deprecation]) -> list[Deprecation]:
    query = parse_qs(urlsplit(target).query)
    words = {word.strip().lower() for value in query.get("status", ()) for word in value.split(",")}
    wanted = words & set(get_args(Status)) or set(get_args(Status))
    since = query.get("since", [""])[0]
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", since):
        since = ""
    kept = [
        row
        for row in rows
        if row.status in wanted and (not since or any(date >= since for date in row.dates))
    ]
    kept.sort(key=lambda row: row.id)
    kept.sort(key=lambda row: row.dates[:1] or ("",), reverse=True)
    return kept
