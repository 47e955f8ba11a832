"""Faults: what goes wrong with one answer, as a value. `docs/faults.md` says how to use them.

A fault is put into `Emulator.faults` by a test, or stands in a prompt as a directive
(`directives`). What can be judged without an answer is judged here: a name, a word or a
number that no fault takes, and a member that cannot act without another. What only an answer can
tell, such as a cut behind its end, is told by `server.unfired_faults`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Self

_EMPTY: Mapping[str, str] = {}


class FaultError(ValueError):
    """A fault that cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer; the fields compose. Without any field set nothing does.

    Raises TypeError for an unknown name, and FaultError for a value that a field does not take
    or a field that does nothing without another.
    """

    status: int | None = None
    """Answer this error status."""
    shape: str = "problem"
    """Form of the error's body: `problem`, `legacy`, `openai`, `text`, `html` or `empty`."""
    message: str | None = None
    """What the error says; None is the vendor's text for that status."""
    headers: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    """Extra response headers; they replace the emulator's own of the same name."""
    raw_body: bytes | None = None
    """Answer this body as it is, with `status` (200 when None) and `content_type`."""
    content_type: str | None = None
    """Replaces the content type of whatever is answered."""
    success_status: int = 200
    """Status of an answer that is no error, e.g. 201."""
    interim: tuple[int, ...] = ()
    """Interim responses before the head, e.g. 100 (Continue) and 103 (Early Hints)."""
    drop: str | None = None
    """Close without any answer: `before_read`, once the request's head has come, which leaves
    the request out of `requests`, or `after_read` of its body."""
    drop_with: str = "fin"
    """How a drop or a cut closes: `fin`, `rst`, or (cuts only) `end`, a body that ends properly."""
    close_after: bool = False
    """Close the connection behind the answer, whose head does not say so."""
    delay_head_s: float = 0.0
    """Seconds before the response's head."""
    delay_body_s: float = 0.0
    """Seconds between the head and the first byte of the body."""
    delay_between_s: float = 0.0
    """Seconds between pieces, or between events when nothing cuts the body into pieces."""
    piece_size: int | None = None
    """The body goes out in writes of so many bytes, each flushed by itself."""
    split_characters: bool = False
    """A write ends inside each character of several bytes, behind its first byte."""
    cut_after_bytes: int | None = None
    """Close after so many bytes of the body; a shorter body is not cut."""
    cut_after_events: int | None = None
    """Close after so many events of a stream, comments not counted; a shorter one is not cut."""
    bom: bool = False
    """A byte order mark before the first byte of the body."""
    error_event: str | None = None
    """An error inside a stream, which ends it: `openai`, `problem` or `legacy` as a data frame;
    `event`, an `event: error` line before the legacy body; on Responses also `error` and
    `response.failed`."""
    error_after_events: int = 2
    """How many events go before the error."""
    newline: str = "\n"
    """The line end of a stream: "\\n", "\\r\\n" or "\\r"."""
    comments: bool = False
    """`: keep-alive` comments between events."""
    final_blank_line: bool = True
    """Whether the blank line that ends the last event is sent."""
    done_sentinel: bool = True
    """Whether a chat stream ends with `[DONE]`."""
    malformed_event: bool = False
    """One data frame of broken JSON in the middle of a stream."""
    repeat_event: int | None = None
    """The event at this index of a stream is sent twice: 0 is the first, -1 the last."""
    swap_event: int | None = None
    """The event at this index of a stream changes places with the one behind it."""
    pad_event_bytes: int = 0
    """The event in the middle of a stream grows by so many bytes, as its member `obfuscation`."""
    single_delta: bool = False
    """A stream brings each text in one event, however long it is."""
    refusal: str | None = None
    """The model refuses with this text."""
    empty: bool = False
    """An empty answer."""
    finish_reason: str | None = None
    """`length` or `content_filter` cut the answer in the middle; another reason is just said."""
    usage: str = "normal"
    """`normal`, `missing`, `cumulative` (in every chunk of a chat stream), or wrong: `negative`,
    `strings` instead of numbers, `partial` (the prompt's count alone), `wrong_sum`."""
    cost_metadata: bool = True
    """Whether the cost is reported, in body, last chunk and headers."""
    tool_delta: str = "normal"
    """Form of streamed tool calls: `normal`, `repeat` (id and name in every piece), `no_index`,
    `one_chunk` (all calls in one), `interleaved`, `placeholder_id` (id "" or "null" after the
    head)."""
    shuffle_data: bool = False
    """Embeddings come in another order than the texts; each keeps its right `index`."""
    drop_row: bool = False
    """One embedding is left out, that of the text in the middle."""
    reasoning: str | None = None
    """Reasoning text: on chat as `reasoning_content` (`reasoning` on the dotted ids, as their
    upstream spells it) of message and deltas, on Responses as a reasoning item's summary."""

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """A fault; TypeError names the field that was meant by a misspelt one."""
        for name in given:
            if name not in cls.__slots__:
                raise TypeError(f"Fault has no field {name!r}{nearest(name, cls.__slots__)}")
        return object.__new__(cls)

    def __post_init__(self) -> None:
        for name in changed(self):
            _check(name, getattr(self, name))
        _check_together(self)

    @property
    def is_raw(self) -> bool:
        """Whether it replaces the whole answer."""
        return self.status is not None or self.raw_body is not None


_DEFAULTS = {
    f.name: f.default_factory() if callable(f.default_factory) else f.default for f in fields(Fault)
}

# The words that a field takes.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "shape": ("problem", "legacy", "openai", "text", "html", "empty"),
    "drop": ("before_read", "after_read"),
    "drop_with": ("fin", "rst", "end"),
    "error_event": ("openai", "problem", "legacy", "event", "error", "response.failed"),
    "newline": ("\n", "\r\n", "\r"),
    "usage": ("normal", "missing", "cumulative", "negative", "strings", "partial", "wrong_sum"),
    "tool_delta": ("normal", "repeat", "no_index", "one_chunk", "interleaved", "placeholder_id"),
}

# The types of its values, the first of which a message names.
_KINDS: Mapping[str, tuple[type, ...]] = {
    f.name: types
    for f in fields(Fault)
    for begin, types in (
        ("int", (int,)),
        ("float", (float, int)),
        ("bool", (bool,)),
        ("bytes", (bytes,)),
        ("str", (str,)),
        ("tuple", (tuple,)),
    )
    if str(f.type).startswith(begin)
}

# The least and the largest number that a field takes.
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "status": (200, 999),
    "success_status": (200, 299),
    "delay_head_s": (0, float("inf")),
    "delay_body_s": (0, float("inf")),
    "delay_between_s": (0, float("inf")),
    "piece_size": (1, float("inf")),
    "cut_after_bytes": (0, float("inf")),
    "cut_after_events": (0, float("inf")),
    "error_after_events": (0, float("inf")),
    "pad_event_bytes": (0, float("inf")),
}

# A field, and those of which it needs one to do anything.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "shape": ("status",),
    "message": ("status", "error_event"),
    "drop_with": ("drop", "cut_after_bytes", "cut_after_events", "close_after"),
    "error_after_events": ("error_event",),
}

# Fields that contradict each other.
_EITHER = (
    ("refusal", "empty"),
    ("status", "success_status"),
    ("raw_body", "shape"),
    ("raw_body", "message"),
    ("piece_size", "split_characters"),
    ("repeat_event", "swap_event"),
)

# They frame the body: `cut_after_bytes` is the way to a body of another length.
_FRAMING = ("content-length", "transfer-encoding")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def changed(fault: Fault) -> list[str]:
    """The names of the fields that are set."""
    return [name for name, default in _DEFAULTS.items() if getattr(fault, name) != default]


def nearest(name: str, known: Any) -> str:
    """`: did you mean ...?`, or "" where no known name is near."""
    near = get_close_matches(name, list(known), 1)
    return f": did you mean {near[0]!r}?" if near else ""


def _check(name: str, value: Any) -> None:
    """Raise FaultError when a field does not take this value, which is not its default."""
    words = _WORDS.get(name)
    if words is not None and value not in words:
        hint = nearest(str(value), words) or f": it takes {', '.join(map(repr, words))}"
        raise FaultError(f"{name}={value!r} is none of its words{hint}")
    if name in _KINDS and type(value) not in _KINDS[name]:
        raise FaultError(f"{name} takes {_KINDS[name][0].__name__}, not {value!r}")
    if name in _BOUNDS:
        least, most = _BOUNDS[name]
        if not least <= value <= most:
            above = "" if most == float("inf") else f" to {most}"
            raise FaultError(f"{name}={value!r} is out of bounds: {least}{above or ' or more'}")
    if name == "interim" and not all(type(s) is int and 100 <= s < 200 and s != 101 for s in value):
        raise FaultError(f"interim={value!r}: it takes statuses from 100 to 199, but not 101")
    if name == "content_type":
        _check_headers({name.replace("_", "-"): value})
    if name == "headers":
        _check_headers(value)


def _check_headers(headers: Mapping[str, str]) -> None:
    if not isinstance(headers, Mapping):
        raise FaultError(f"headers takes a mapping of names to values, not {headers!r}")
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise FaultError(f"header {name!r} takes a str, not {value!r}")
        if not (_HEADER_NAME.fullmatch(name) and value.isprintable() and value.isascii()):
            raise FaultError(f"header {name!r} cannot be sent: it takes one line of ASCII")
        if name.lower() in _FRAMING:
            raise FaultError(f"header {name!r} is set by the emulator; cut_after_bytes cuts")


def _check_together(fault: Fault) -> None:
    """Raise FaultError for a field that cannot act beside the others."""
    given = changed(fault)
    for name, needed in _NEEDS.items():
        if name in given and not any(other in given for other in needed):
            raise FaultError(f"{name} does nothing without {' or '.join(needed)}")
    for one, other in _EITHER:
        if one in given and other in given:
            raise FaultError(f"{one} and {other} contradict each other")
    # Headers may stay: they tell apart directives that say the same.
    lost = [name for name in given if name not in ("drop", "drop_with", "headers")]
    if fault.drop is not None and lost:
        raise FaultError(f"drop leaves no answer for {', '.join(lost)} to act on")
    cuts = ("cut_after_bytes", "cut_after_events")
    if fault.drop_with == "end" and not any(name in given for name in cuts):
        raise FaultError("drop_with='end' is for cuts only: cut_after_bytes or cut_after_events")


NO_FAULT = Fault()
