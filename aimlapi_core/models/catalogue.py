"""The catalogue: a row for each text model that the vendor documents, from a data file.

`catalogue.json` is written by `python -m scripts.models`. For each id it has, for each endpoint,
the number of the schema in the list of that endpoint, and the vendor's file that says so; and the
sizes in tokens. `fields` of a schema are those members of the body that this library sends, by
their names on the wire; they are missing where they are not documented.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from aimlapi_core._json_reading import loads
from aimlapi_core.models.model_info import ModelInfo
from aimlapi_core.request_params import REQUEST_PARAMS
from aimlapi_core.types import BOTH, Endpoint

logger = logging.getLogger("aimlapi")

PATH = Path(__file__).with_name("catalogue.json")

# Parameters with encoders of their own, by their members of the two bodies.
_OWN: Mapping[str, tuple[str, str]] = {
    "tools": ("tools", "tools"),
    "tool_choice": ("tool_choice", "tool_choice"),
    "parallel_tool_calls": ("parallel_tool_calls", "parallel_tool_calls"),
    "response_format": ("response_format", "text"),
    "stream_usage": ("stream_options", ""),
}
_LIMITS = ("max_tokens", "max_completion_tokens")  # of chat, in the order of preference


def _members(endpoint: Endpoint) -> dict[str, str]:
    """The parameters that an endpoint has, with the member of its body that holds each."""
    of_own = {name: both[endpoint != "chat"] for name, both in _OWN.items()}
    paths = {name: row.path(endpoint) for name, row in REQUEST_PARAMS.items()} | of_own
    # No chat schema has `reasoning.summary`, and those with `reasoning` have `reasoning_effort`.
    return {
        name: path.partition(".")[0]
        for name, path in paths.items()
        if path and not (endpoint == "chat" and "." in path)
    }


_MEMBERS: Mapping[Endpoint, Mapping[str, str]] = {end: _members(end) for end in BOTH}
SENT = frozenset(
    {*_LIMITS, "stream", *(member for both in _MEMBERS.values() for member in both.values())}
)
"""The members of bodies that this library sends: of other members the data file says nothing."""


@cache
def _data() -> Mapping[str, Any]:
    """The data file; empty where an installation has left it out, since requests need no row."""
    try:
        return dict(loads(PATH.read_bytes()))
    except OSError as error:
        logger.warning("The catalogue of models cannot be read (%s): no id has a row in it.", error)
        return {"source": "", "date": "", "models": {}}


def catalogue_ids() -> Iterable[str]:
    """The ids that have a row."""
    return tuple(_data()["models"])


@lru_cache(maxsize=1024)
def catalogue_row(model_id: str) -> ModelInfo | None:
    """The row of this exact id, None without one."""
    data = _data()
    row = data["models"].get(model_id)
    if row is None:
        return None
    schemas = {endpoint: data[endpoint][row[endpoint][0]] for endpoint in BOTH if endpoint in row}
    params = {endpoint: _params(endpoint, schema) for endpoint, schema in schemas.items()}
    first = next(iter(params))
    return ModelInfo(
        id=model_id,
        aliases=(),
        params=params,
        context_window=row.get("context"),
        max_output_tokens=row.get("output"),
        reasoning_efforts=tuple(schemas[first].get("efforts", "").split()),
        images=frozenset(end for end in params if schemas[end].get("images")),
        replays_reasoning="reasoning_effort" in params.get("responses", ()),
        chat_takes_any_tool=True,
        pdfs=bool(schemas[first].get("pdfs")),
        tools="tools" in params[first],
        structured_output="response_format" in params[first],
        gates_params=False,
        chat_limit=_chat_limit(schemas.get("chat", {})),
        source=f"[D] {data['source']}: {', '.join(row[end][1] for end in schemas)}",
        checked=data["date"],
    )


def _params(endpoint: Endpoint, schema: Mapping[str, str]) -> frozenset[str]:
    """The parameters that a schema has; all of the endpoint's where it is not documented."""
    if "fields" not in schema:
        return frozenset(_MEMBERS[endpoint])
    fields = schema["fields"].split()
    found = {name for name, member in _MEMBERS[endpoint].items() if member in fields}
    if not set(_LIMITS).isdisjoint(fields):
        found.add("max_output_tokens")
    return frozenset(found)


def _chat_limit(schema: Mapping[str, str]) -> str:
    fields = schema.get("fields", "").split()
    return next((name for name in _LIMITS if name in fields), _LIMITS[0])
