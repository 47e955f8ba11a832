"""The table of request parameters: types, ranges, wire names, aliases, and who takes what.

A row is written once, as the metadata of its field of `ChatRequest` (`aimlapi_core.types`). From it
follow validation, both endpoints' encoders, the sets of parameters that model rows list, and the
adapters' argument names, type checks and "did you mean". What a type checker must see in full (the
constructors' signatures) is held equal to it by `tests/core/test_request_params.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

from aimlapi_core.types import ChatRequest, Endpoint


@dataclass(frozen=True, slots=True)
class RequestParam:
    """One row.

    `name` is the field of `ChatRequest` and `kind` its type as written there, without None.
    `argument` is what the adapters call it. `scope`: an argument of constructors and calls
    ("model"), of calls alone ("call"), or of neither ("internal"). `chat` and `responses` are its
    dotted places in the endpoints' bodies, "" where an encoder of its own writes it or where it is
    not sent. `minimum` and `maximum` are both allowed, None for no bound, as both the documented
    and the live specification have them. `in_every` names the endpoints of which every documented
    GPT-5.2 schema has it; else model rows list it, by `group` or by name. `is_cut_by_client`: done
    by this library where the model does not take it. `aliases` are other packages' names for it.
    `otel` is its name in OpenTelemetry, without the prefix `gen_ai.request.`.
    """

    name: str
    kind: str
    argument: str
    scope: Literal["model", "call", "internal"] = "model"
    chat: str = ""
    responses: str = ""
    minimum: float | None = None
    maximum: float | None = None
    responses_minimum: float | None = None
    in_every: tuple[Endpoint, ...] = ()
    group: str = ""
    is_cut_by_client: bool = False
    aliases: tuple[str, ...] = ()
    otel: str = ""

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, for which Python would take a bool."""
        return self.kind in ("int", "float")

    @property
    def is_model_dependent(self) -> bool:
        """Whether some model does not take it on some endpoint, so that it may be left out."""
        is_sent = bool(self.chat or self.responses)
        return is_sent and len(self.in_every) < 2 and not self.is_cut_by_client

    def place(self, endpoint: Endpoint) -> str:
        """Its dotted place in the endpoint's body, "" where it has none."""
        return self.chat if endpoint == "chat" else self.responses

    def bounds(self, endpoint: Endpoint) -> tuple[float, float | None] | None:
        """(minimum, maximum) there; None for what has no minimum."""
        minimum = self.minimum
        if endpoint == "responses" and self.responses_minimum is not None:
            minimum = self.responses_minimum
        return None if minimum is None else (minimum, self.maximum)


def _row(name: str, annotation: str, facts: Mapping[str, Any]) -> RequestParam:
    return RequestParam(name, annotation.removesuffix(" | None"), **{"argument": name, **facts})


REQUEST_PARAMS: Mapping[str, RequestParam] = MappingProxyType(
    {field.name: _row(field.name, str(field.type), field.metadata) for field in fields(ChatRequest)}
)


def arguments(*scopes: str) -> tuple[str, ...]:
    """The adapters' names of the parameters of these scopes."""
    return tuple(row.argument for row in REQUEST_PARAMS.values() if row.scope in scopes)


def in_every_schema(endpoint: Endpoint) -> frozenset[str]:
    """The names of what every documented GPT-5.2 schema of this endpoint has."""
    return frozenset(name for name, row in REQUEST_PARAMS.items() if endpoint in row.in_every)


def in_group(group: str) -> frozenset[str]:
    """The names of a group."""
    return frozenset(name for name, row in REQUEST_PARAMS.items() if row.group == group)


_PLACES: Mapping[Endpoint, tuple[tuple[str, tuple[str, ...], str], ...]] = {
    endpoint: tuple(
        (name, tuple(parents), member)
        for name, row in REQUEST_PARAMS.items()
        if row.place(endpoint)
        for *parents, member in [row.place(endpoint).split(".")]
    )
    for endpoint in ("chat", "responses")
}


def add_params(body: dict[str, Any], request: ChatRequest, endpoint: Endpoint) -> None:
    """Put what is given into the body, at its place; `body` is the caller's own."""
    for name, parents, member in _PLACES[endpoint]:
        value = getattr(request, name)
        if value is None or value == ():
            continue
        inner = body
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[member] = list(value) if isinstance(value, tuple) else value
