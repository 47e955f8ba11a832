"""Time-outs through the adapters: finite by default, passed on as they are given."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from aimlapi_core import ConnectionLostError
from tests.anywhere.objects import SYNC, make

APART = httpx.Timeout(connect=1, read=2, write=3, pool=4)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({}, (10, 600, 600, 600)),
        ({"timeout": 30}, (10, 30, 30, 30)),
        ({"timeout": APART}, (1, 2, 3, 4)),
        ({"timeout": None}, (None, None, None, None)),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", SYNC)
def test_each_form_of_timeout_sets_the_four(
    monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, Any], used: tuple[Any, ...]
) -> None:
    seen: list[Any] = []

    def refuse(transport: Any, request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        raise httpx.ReadError("not sent")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    with pytest.raises(ConnectionLostError):
        next(iter(SYNC[name].values()))(make(name, "http://127.0.0.1:9", **given))
    assert tuple(seen[0][part] for part in ("connect", "read", "write", "pool")) == used
