"""Faults: what goes wrong with one answer, chosen by a test or by a directive in a prompt.

A directive stands in the last user text::

    [[fault status=429 headers.Retry-After=1 times=2]]
    [[fault finish_reason=length piece_size=7 newline="\\r\\n"]]

    directive = "[[fault" 1*( SP key "=" value ) "]]"
    key       = a field of `Fault`, or "headers." header name, or "times"
    value     = a double-quoted JSON string, or a word without blanks or "]"; a word is read as a
                number, true or false when the field wants one

`times` says how many POSTs that hold this very directive text get the fault; left out, every one
does. Of several directives in one text the first that has times left is used, so that
`[[fault status=429 times=1]] [[fault status=500 times=1]]` fails twice and then answers. The
directives themselves are taken out of the text before it is answered. A directive that names an
unknown field is refused with a 400 that says so. A fault of `Emulator.faults` goes first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer; the fields compose. Without any field set nothing does."""

    status: int | None = None
    """Answer this error status."""
    shape: str = "problem"
    """Of the error's body: problem, legacy, openai, text, html or empty."""
    message: str | None = None
    """Of the error; None is the vendor's text for that status."""
    headers: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    """Extra response headers; they replace the emulator's own of the same name."""
    raw_body: bytes | None = None
    """Answer this body as it is, with `status` (200 when None) and `content_type`."""
    content_type: str | None = None
    """Replaces the content type of whatever is answered."""
    success_status: int = 200
    """Status of an answer that is no error, e.g. 201."""
    drop: str | None = None
    """Close without any answer: `before_read` or `after_read` of the request's body."""
    drop_with: str = "fin"
    """How a drop or a cut closes: `fin`, `rst`, or (cuts only) `end`, a body that ends properly."""
    delay_head_s: float = 0.0
    """Before the response's head."""
    delay_body_s: float = 0.0
    """Between the head and the first byte of the body."""
    delay_between_s: float = 0.0
    """Between pieces, or between events when `piece_size` is None."""
    piece_size: int | None = None
    """The body goes out in writes of so many bytes, each flushed by itself."""
    cut_after_bytes: int | None = None
    """Close after so many bytes of the body."""
    cut_after_events: int | None = None
    """Close after so many events of a stream; comments are not counted."""
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
    done: bool = True
    """Whether a chat stream ends with `[DONE]`."""
    malformed_event: bool = False
    """One data frame of broken JSON in the middle of a stream."""
    refusal: str | None = None
    """The model refuses with this text."""
    empty: bool = False
    """An empty answer."""
    finish_reason: str | None = None
    """`length` or `content_filter` cut the answer in the middle; another reason is just said."""
    usage: str = "normal"
    """`normal`, `missing` or `cumulative` (in every chunk of a chat stream)."""
    meta: bool = True
    """Whether the cost is told, in body, last chunk and headers."""
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

    @property
    def is_raw(self) -> bool:
        """Whether it replaces the whole answer."""
        return self.status is not None or self.raw_body is not None


NO_FAULT = Fault()

_DIRECTIVE = re.compile(r"\[\[fault\b(.*?)\]\]", re.DOTALL)
_PAIR = re.compile(r"([\w.-]+)=(\"(?:[^\"\\]|\\.)*\"|[^\s\]]*)")
_KINDS = {f.name: str(f.type) for f in fields(Fault)}


class DirectiveError(ValueError):
    """A directive that names an unknown field or a value that the field cannot take."""


def strip_directives(text: str) -> str:
    """The text without its directives."""
    return _DIRECTIVE.sub("", text).strip() if "[[fault" in text else text


def find_directive(text: str, counts: dict[str, int]) -> Fault | None:
    """The fault that a text asks for; counts its use in `counts`."""
    for match in _DIRECTIVE.finditer(text):
        times, fault = _parse(match[1])
        used = counts.get(match[0], 0)
        if times is None or used < times:
            counts[match[0]] = used + 1
            return fault
    return None


def _parse(inside: str) -> tuple[int | None, Fault]:
    values: dict[str, Any] = {}
    headers: dict[str, str] = {}
    times: int | None = None
    for key, raw in _PAIR.findall(inside):
        text = json.loads(raw) if raw.startswith('"') else raw
        if key == "times":
            times = int(_number(key, text))
        elif key.startswith("headers."):
            headers[key.removeprefix("headers.")] = text
        elif key in _KINDS and key != "headers":
            values[key] = _value(key, text)
        else:
            raise DirectiveError(f"fault directive: unknown field {key!r}")
    return times, Fault(**values, headers=headers)


def _value(key: str, text: str) -> Any:
    kind = _KINDS[key]
    if "bytes" in kind:
        return text.encode()
    if "bool" in kind:
        return text.lower() in ("true", "1", "yes")
    if "int" in kind:
        return int(_number(key, text))
    if "float" in kind:
        return _number(key, text)
    return text


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DirectiveError(f"fault directive: {key} wants a number, got {text!r}") from None
