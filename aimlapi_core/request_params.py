"""The table of request parameters: types, ranges, wire names, aliases, and supporting schemas.

A row is defined once, as the metadata of its field of `ChatRequest` (`aimlapi_core.types`). It
drives validation, both endpoints' encoders, the sets of parameters in the model table, and the
adapters' argument names, type checks and "did you mean". The constructors' signatures, which a
type checker must see in full, are compared with it by `tests/core/test_request_params.py`.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from aimlapi_core._values.plain import plain_number
from aimlapi_core.types import ChatRequest, Endpoint


@dataclass(frozen=True)
class RequestParam:
    """One row.

    `name` is the field of `ChatRequest` and `kind` its type as written there, without None.
    `argument` is its name in the adapters. `scope`: an argument of constructors and calls
    ("model"), of calls only ("call"), or of neither ("internal"). `chat` and `responses` are its
    dotted paths in the endpoints' bodies, "" if it has its own encoder or is not sent. `minimum`
    and `maximum` are inclusive, None for no bound, as both the documented and the live
    specification have them. `in_every` names the endpoints of which every documented GPT-5.2
    schema has it; else model rows list it, by `group` or by name. `is_client_side`: applied by
    this library if the model does not take it. `documented` are the values of a string that any
    model's documents list; others are possible, but a misspelling of these is refused. `aliases`
    are other packages' names for it. `otel` is its name in OpenTelemetry, without the prefix
    `gen_ai.request.`. `doc` says in a sentence what it does: `{range}` stands there for the bounds,
    `{values}` for the documented ones. `scripts.arguments` writes it into docstrings.
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
    is_client_side: bool = False
    documented: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    otel: str = ""
    doc: str = ""

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The values that it takes if its type is a Literal, else empty."""
        _, is_literal, values = self.kind.partition("Literal[")
        return literal_eval(f"({values[:-1]},)") if is_literal else ()

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, which bools must be rejected for."""
        return self.kind in ("int", "float")

    @property
    def is_scalar(self) -> bool:
        """Whether its values are numbers or booleans."""
        return self.is_number or self.kind == "bool"

    @property
    def is_model_dependent(self) -> bool:
        """Whether some model does not take it on some endpoint, so that it may be dropped."""
        is_sent = bool(self.chat or self.responses)
        return is_sent and len(self.in_every) < 2 and not self.is_client_side

    def path(self, endpoint: Endpoint) -> str:
        """Its dotted path in the endpoint's body, "" if it has none."""
        return self.chat if endpoint == "chat" else self.responses

    def bounds(self, endpoint: Endpoint) -> tuple[float, float | None] | None:
        """(minimum, maximum) on this endpoint; None without a minimum."""
        minimum = self.minimum
        if endpoint == "responses" and self.responses_minimum is not None:
            minimum = self.responses_minimum
        return None if minimum is None else (minimum, self.maximum)


def _row(name: str, annotation: str, facts: Mapping[str, Any]) -> RequestParam:
    return RequestParam(name, annotation.removesuffix(" | None"), **{"argument": name, **facts})


REQUEST_PARAMS: Mapping[str, RequestParam] = MappingProxyType(
    {field.name: _row(field.name, str(field.type), field.metadata) for field in fields(ChatRequest)}
)

DEFAULTS: Mapping[str, Any] = {field.name: field.default for field in fields(ChatRequest)}


def arguments(*scopes: str) -> tuple[str, ...]:
    """The adapters' argument names for the parameters of these scopes."""
    return tuple(row.argument for row in REQUEST_PARAMS.values() if row.scope in scopes)


def in_every_schema(endpoint: Endpoint) -> frozenset[str]:
    """The names of the parameters in every documented GPT-5.2 schema of this endpoint."""
    return frozenset(name for name, row in REQUEST_PARAMS.items() if endpoint in row.in_every)


def in_group(group: str) -> frozenset[str]:
    """The names of the parameters of a group."""
    return frozenset(name for name, row in REQUEST_PARAMS.items() if row.group == group)


_PATHS: Mapping[Endpoint, tuple[tuple[str, tuple[str, ...], str], ...]] = {
    endpoint: tuple(
        (name, tuple(parents), member)
        for name, row in REQUEST_PARAMS.items()
        if row.path(endpoint)
        for *parents, member in [row.path(endpoint).split(".")]
    )
    for endpoint in ("chat", "responses")
}


# The fields of a `ChatRequest` that hold a number or a boolean: (name, kind, types of its values).
_PLAIN_TYPES = {"int": (int, bool), "float": (float, int, bool), "bool": (bool,)}
_SCALARS = tuple(
    (row.name, row.kind, _PLAIN_TYPES[row.kind]) for row in REQUEST_PARAMS.values() if row.is_scalar
)


def is_given(value: Any) -> bool:
    """Whether a parameter has a value. Not by comparing: numpy's values compare piece by piece."""
    return value is not None and not (isinstance(value, tuple) and not value)


def with_plain_scalars(request: ChatRequest) -> ChatRequest:
    """The request with Python's own numbers and booleans for those of numpy, Decimal, …"""
    changes = {}
    for name, kind, plain_types in _SCALARS:
        value = getattr(request, name)
        if value is not None and type(value) not in plain_types:
            changes[name] = plain_number(value, kind)
    return replace(request, **changes) if changes else request


def add_params(body: dict[str, Any], request: ChatRequest, endpoint: Endpoint) -> None:
    """Set the parameters that are not None at their paths in `body`, which is modified."""
    for name, parents, member in _PATHS[endpoint]:
        value = getattr(request, name)
        if value is None or not is_given(value):  # the first saves a call for most of them
            continue
        inner = body
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[member] = list(value) if isinstance(value, tuple) else value
