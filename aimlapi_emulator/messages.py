"""HTTP requests and responses, as they pass between connections and endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.billing.ledger import ZERO_USAGE
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.faults.fault import NO_FAULT, Fault
from aimlapi_emulator.faults.fault_field import FaultTarget, ResponseKind
from aimlapi_emulator.latency import NO_LATENCY, Latency
from aimlapi_emulator.scripting.rule import Rule
from aimlapi_emulator.validation.validators import Problem

QueuedResponse = str | dict[str, Any] | bytes | list[str]
_STREAM_KINDS: Mapping[str, ResponseKind] = {
    "chat": "chat stream",
    "responses": "responses stream",
}
BOM = b"\xef\xbb\xbf"
EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request; `target` may hold a query."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes
    is_too_long: bool = False
    """Whether its content was more than the emulator reads, and is left out."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.split("?", 1)[0]


@dataclass(frozen=True, slots=True)
class Response:
    """A response: either a body, or the events of a stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    events: tuple[bytes, ...] | None = None
    fault: Fault = NO_FAULT
    request_body: Any = None
    """Parsed JSON of the request, or its bytes."""
    problems: tuple[str, ...] = ()
    model: str | None = None
    """Id of the model row that answered."""
    usage: Usage | None = None
    """Usage of the answer; None if the service did not answer."""
    rule: Rule | None = None
    """The scripted rule that answered."""
    latency: Latency = NO_LATENCY
    called: tuple[str, ...] = ()
    """Names of the tools that the answer calls."""
    note: str = ""
    """Why the answer calls no tool, if it could."""

    @property
    def succeeded(self) -> bool:
        """Whether the service answered, without an error in the stream, and was not dropped."""
        in_stream = self.events is not None and self.fault.error_event is not None
        return self.usage is not None and not in_stream and self.fault.drop is None

    @property
    def billed_usage(self) -> Usage:
        """The usage that is billed: zero for a failure."""
        return self.usage if self.usage is not None and self.succeeded else ZERO_USAGE

    def as_fault_target(self, endpoint: str) -> FaultTarget:
        """What the fault's fields act on; `endpoint` as `RequestView.endpoint` has it."""
        kinds: set[ResponseKind] = {"any"}
        if self.status < 400 and not self.fault.is_raw:
            kinds.add("answer")
            kinds.add("embeddings" if endpoint == "embeddings" else "completion")
        if self.events is not None:
            kinds.add("stream")
            if endpoint in _STREAM_KINDS:
                kinds.add(_STREAM_KINDS[endpoint])
        body = self.body if self.events is None else b"".join(self.events)
        return FaultTarget(frozenset(kinds), len(self.events or ()), BOM * self.fault.bom + body)

    @property
    def tokens(self) -> int:
        """Completion tokens without reasoning tokens."""
        return self.usage.completion - self.usage.reasoning if self.usage is not None else 0


class APIError(Exception):
    """An error response in the service's current shape."""

    def __init__(self, status: int, message: str, details: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details
