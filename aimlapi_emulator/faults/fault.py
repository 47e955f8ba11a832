"""Fault injection: a `Fault` is what goes wrong with one response; see `docs/faults.md`.

A fault is put into `Emulator.faults` by a test, or is written in a prompt as a directive
(`directives`). A new fault is one field here, with its facts as metadata, and the line that acts
on it. A fault that could never act is an error when it is made; whether it had an effect on a
response is decided by `acts_on` and `reaches` of its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from aimlapi_emulator.faults.fault_field import (
    FaultError,
    FaultField,
    FaultTarget,
    ResponseKind,
    check_headers,
    check_interim,
    fault_field,
    nearest,
    resolve_index,
)

_EMPTY: Mapping[str, str] = {}
_DAY_S = 86_400
_CUTS = ("cut_after_bytes", "cut_after_events")
# What acts on the bytes of a body.
_ON_BODY = (
    *("shape", "message", "raw_body", "delay_body_s", "delay_between_s", "piece_size"),
    *("split_characters", "bom", *_CUTS),
)
# All that one answer without an error can be.
_ANSWERS: tuple[set[ResponseKind], ...] = (
    {"any", "answer", "completion", "stream", "chat stream"},
    {"any", "answer", "completion", "stream", "responses stream"},
    {"any", "answer", "embeddings"},
)


def _is_repeated(response: FaultTarget, index: int) -> bool:
    return resolve_index(index, response.events - 1) is not None  # one is the repetition


def _is_swapped(response: FaultTarget, index: int) -> bool:
    return resolve_index(index, response.events) not in (None, response.events - 1)


@dataclass(frozen=True, slots=True, repr=False)
class Fault:
    """What goes wrong with one response; the fields compose.

    Raises TypeError for an unknown name, and FaultError for a value that a field does not take,
    for fields that cannot act beside one another, and for none at all.
    """

    status: int | None = fault_field(
        None, minimum=200, maximum=999, excludes=("success_status",), replaces_answer=True
    )
    """Answer this error status."""
    shape: str = fault_field(
        "problem",
        choices=("problem", "legacy", "openai", "text", "html", "empty"),
        requires=("status",),
    )
    """Form of the error's body: `problem`, `legacy`, `openai`, `text`, `html` or `empty`."""
    message: str | None = fault_field(
        None, requires=("status", "error_event", "answer_error"), takes_empty=True
    )
    """The error message; None is the vendor's text for that status."""
    headers: Mapping[str, str] = field(
        default_factory=lambda: _EMPTY, metadata={"check": check_headers}
    )
    """Extra response headers; they replace the emulator's own of the same name."""
    raw_body: bytes | None = fault_field(None, excludes=("shape", "message"), replaces_answer=True)
    """Answer this body unchanged, with `status` (200 when None) and `content_type`."""
    content_type: str | None = fault_field(
        None, takes_empty=True, check=lambda value: check_headers({"content-type": value})
    )
    """Replaces the content type of any response."""
    success_status: int = fault_field(200, minimum=200, maximum=299, acts_on="answer")
    """Status of an answer that is no error, e.g. 201."""
    interim: tuple[int, ...] = fault_field((), check=check_interim)
    """Interim responses before the head, e.g. 100 (Continue) and 103 (Early Hints)."""
    drop: str | None = fault_field(
        None, choices=("before_read", "after_read"), replaces_answer=True
    )
    """Close without any answer: `before_read`, once the request's head has come, which leaves
    the request out of `requests`, or `after_read` of its body."""
    drop_with: str = fault_field(
        "fin",
        choices=("fin", "rst", "end"),
        requires=("drop", "cut_after_bytes", "cut_after_events", "close_after"),
    )
    """How a drop or a cut closes: `fin`, `rst`, or (cuts only) `end`, a body that ends properly."""
    close_after: bool = False
    """Close the connection after the response, without `Connection: close`."""
    delay_head_s: float = fault_field(0.0, minimum=0, maximum=_DAY_S)
    """Seconds before the response's head."""
    delay_body_s: float = fault_field(0.0, minimum=0, maximum=_DAY_S)
    """Seconds between the head and the first byte of the body."""
    delay_between_s: float = fault_field(0.0, minimum=0, maximum=_DAY_S)
    """Seconds between pieces, or between events when nothing cuts the body into pieces."""
    piece_size: int | None = fault_field(None, minimum=1, excludes=("split_characters",))
    """The body goes out in writes of so many bytes, each flushed by itself."""
    split_characters: bool = fault_field(False, reaches=lambda out, _: not out.body.isascii())
    """A write ends inside each multi-byte character, after its first byte."""
    cut_after_bytes: int | None = fault_field(
        None, minimum=0, reaches=lambda response, size: size <= len(response.body)
    )
    """Close after so many bytes of the body; a shorter body is not cut."""
    cut_after_events: int | None = fault_field(
        None, minimum=0, acts_on="stream", reaches=lambda response, count: count <= response.events
    )
    """Close after so many events of a stream, comments not counted; a shorter one is not cut."""
    bom: bool = False
    """A byte order mark before the first byte of the body."""
    error_event: str | None = fault_field(
        None,
        choices=("openai", "problem", "legacy", "event", "error", "response.failed"),
        acts_on="stream",
        acts_on_by_value={"error": "responses stream", "response.failed": "responses stream"},
    )
    """An error inside a stream, which ends it: `openai`, `problem` or `legacy` as a data frame;
    `event`, an `event: error` line before the legacy body; on Responses also `error` and
    `response.failed`."""
    error_after_events: int = fault_field(
        2,
        minimum=0,
        requires=("error_event",),
        reaches=lambda response, count: count < response.events,
    )
    """How many events go before the error."""
    answer_error: str | None = fault_field(None, choices=("top", "choice"), acts_on="completion")
    """An error beside an answer with status 200: `top`, a member `error` of the body or the last
    chunk; `choice`, on chat the choice's with `finish_reason: "error"`, on Responses an output item
    of status `failed`."""
    content_form: str = fault_field(
        "text",
        choices=("text", "strings", "part", "object"),
        excludes=("empty", "refusal"),
        acts_on="completion",
    )
    """Form of an answer's text: `strings` (a list of texts), `part` (one content part alone) or
    `object`, whose meaning is not plain."""
    arguments_form: str = fault_field(
        "text",
        choices=("text", "object", "list", "number", "null"),
        excludes=("empty", "refusal"),
        acts_on="completion",
    )
    """JSON type of a tool call's arguments, in place of a text; a chat stream sends them in one
    piece."""
    newline: str = fault_field("\n", choices=("\n", "\r\n", "\r"), acts_on="stream")
    """The line end of a stream: "\\n", "\\r\\n" or "\\r"."""
    comments: bool = fault_field(False, acts_on="stream")
    """`: keep-alive` comments between events."""
    final_blank_line: bool = fault_field(True, acts_on="stream")
    """Whether the blank line that ends the last event is sent."""
    done_sentinel: bool = fault_field(True, excludes=("error_event",), acts_on="chat stream")
    """Whether a chat stream ends with `[DONE]`."""
    malformed_event: bool = fault_field(False, acts_on="stream")
    """One data frame of broken JSON in the middle of a stream."""
    repeat_event: int | None = fault_field(
        None, excludes=("swap_event",), acts_on="stream", reaches=_is_repeated
    )
    """The event at this index of a stream is sent twice: 0 is the first, -1 the last."""
    swap_event: int | None = fault_field(None, acts_on="stream", reaches=_is_swapped)
    """The event at this index of a stream is swapped with the next one."""
    pad_event_bytes: int = fault_field(0, minimum=0, maximum=10_000_000, acts_on="stream")
    """The event in the middle of a stream gets a member `obfuscation` of so many bytes."""
    single_delta: bool = fault_field(False, excludes=("empty",), acts_on="stream")
    """A stream sends each text in a single delta, however long it is."""
    refusal: str | None = fault_field(
        None, excludes=("empty",), acts_on="completion", replaces_answer=True
    )
    """The model refuses with this text."""
    empty: bool = fault_field(False, acts_on="answer", replaces_answer=True)
    """An empty answer."""
    finish_reason: str | None = fault_field(None, acts_on="completion")
    """`length` or `content_filter` truncate the answer; any other reason is only reported."""
    usage: str = fault_field(
        "normal",
        choices=("normal", "missing", "cumulative", "negative", "strings", "partial", "wrong_sum"),
        acts_on="answer",
        acts_on_by_value={"cumulative": "chat stream"},
    )
    """`normal`, `missing`, `cumulative` (in every chunk of a chat stream), or wrong: `negative`,
    `strings` instead of numbers, `partial` (the prompt's count alone), `wrong_sum`."""
    cost_metadata: bool = fault_field(True, acts_on="answer")
    """Whether the cost is reported, in body, last chunk and headers."""
    cost_chunk: str = fault_field(
        "merged", choices=("merged", "bare"), excludes=("cost_metadata",), acts_on="chat stream"
    )
    """Where a chat stream has its cost: `merged` into the usage chunk or else the last chunk, or
    `bare`, a chunk of its own without `id` and `choices`, at which many clients fail."""
    tool_delta: str = fault_field(
        "normal",
        choices=("normal", "repeat", "no_index", "one_chunk", "interleaved", "placeholder_id"),
        excludes=("empty", "refusal"),
        acts_on="chat stream",
    )
    """Form of streamed tool calls: `normal`, `repeat` (id and name in every piece), `no_index`,
    `one_chunk` (all calls in one), `interleaved`, `placeholder_id` (id "" or "null" after the
    head)."""
    shuffle_data: bool = fault_field(False, excludes=("empty",), acts_on="embeddings")
    """Embeddings come in another order than the texts; each keeps its right `index`."""
    drop_row: bool = fault_field(False, excludes=("empty",), acts_on="embeddings")
    """One embedding is left out, that of the text in the middle."""
    reasoning: str | None = fault_field(None, acts_on="completion")
    """Reasoning text: on chat as `reasoning_content` (`reasoning` on the dotted ids, as their
    upstream spells it) of message and deltas, on Responses as a reasoning item's summary."""

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """A fault; TypeError names the field that was meant by a misspelt one."""
        for name in given:
            if name not in cls.__slots__:
                raise TypeError(f"Fault has no field {name!r}{nearest(name, cls.__slots__)}")
        return object.__new__(cls)

    def __post_init__(self) -> None:
        given = changed(self)
        if not given:
            raise FaultError("a fault that sets no field does nothing: None lets a request pass")
        for name in given:
            FIELDS[name].validate(getattr(self, name))
        _check_together(self, given)

    def __repr__(self) -> str:
        return f"Fault({', '.join(f'{name}={getattr(self, name)!r}' for name in changed(self))})"

    @property
    def is_raw(self) -> bool:
        """Whether it replaces the whole answer."""
        return self.status is not None or self.raw_body is not None


FIELDS: Mapping[str, FaultField] = {
    f.name: FaultField(
        f.name,
        str(f.type),
        f.default_factory() if callable(f.default_factory) else f.default,
        **f.metadata,
    )
    for f in fields(Fault)
}


def changed(fault: Fault) -> list[str]:
    """The names of the fields that are set."""
    return [name for name, row in FIELDS.items() if getattr(fault, name) != row.default]


def ineffective_fields(fault: Fault, response: FaultTarget) -> tuple[str, ...]:
    """The names of the fields that are set but have no effect on this response."""
    return tuple(
        name
        for name in changed(fault)
        if not FIELDS[name].has_effect(response, getattr(fault, name))
    )


def _check_together(fault: Fault, given: list[str]) -> None:
    """Raise FaultError for a field that cannot act beside the others."""
    for row in map(FIELDS.__getitem__, given):
        if row.requires and not any(other in given for other in row.requires):
            raise FaultError(f"{row.name} does nothing without {' or '.join(row.requires)}")
        for other in row.excludes:
            if other in given:
                raise FaultError(f"{row.name} and {other} contradict each other")
    # Headers are allowed: they distinguish directives that are otherwise equal.
    lost = [name for name in given if name not in ("drop", "drop_with", "headers")]
    if fault.drop is not None and lost:
        raise FaultError(f"drop leaves no answer for {', '.join(lost)} to act on")
    if fault.drop_with == "end" and not any(name in given for name in _CUTS):
        raise FaultError("drop_with='end' is for cuts only: cut_after_bytes or cut_after_events")
    _check_kinds(fault, given)
    _check_body(fault, given)


def _check_kinds(fault: Fault, given: list[str]) -> None:
    """Raise FaultError for fields that no response is of all kinds for."""
    kinds = {name: FIELDS[name].kind_for(getattr(fault, name)) for name in given}
    if fault.is_raw:
        idle = [name for name, kind in kinds.items() if kind != "any"]
        if idle:
            cause = "status" if fault.status is not None else "raw_body"
            raise FaultError(f"{cause} leaves no answer for {', '.join(idle)} to act on")
    elif not any(set(kinds.values()) <= one for one in _ANSWERS):
        each = ", ".join(f"{name} on {kind}" for name, kind in kinds.items() if kind != "any")
        raise FaultError(f"no response has all that these fields act on: {each}")


def _check_body(fault: Fault, given: list[str]) -> None:
    """Raise FaultError for what acts on a body or a connection that another field takes away."""
    status = fault.success_status if fault.status is None else fault.status
    lost = [name for name in given if name in _ON_BODY or FIELDS[name].acts_on == "stream"]
    if status in (204, 304) and lost:
        raise FaultError(f"status {status} has no body for {', '.join(lost)} to act on")
    if fault.shape == "empty" and "message" in given:
        raise FaultError("shape='empty' leaves no place for message")
    if fault.content_type is not None and any(n.lower() == "content-type" for n in fault.headers):
        raise FaultError("content_type and the header of that name contradict each other")
    if fault.close_after and fault.drop_with != "end" and any(name in given for name in _CUTS):
        raise FaultError("close_after does nothing: a cut closes the connection")


def _no_fault() -> Fault:
    fault = object.__new__(Fault)
    for name, row in FIELDS.items():
        object.__setattr__(fault, name, row.default)
    return fault


NO_FAULT = _no_fault()
"""The fault of a request that nothing goes wrong with; `Fault()` is an error."""
