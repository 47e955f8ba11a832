"""Fault directives: faults that are written in a prompt.

A directive is part of the last user text::

    [[fault status=429 headers.Retry-After=1 times=2]]
    [[fault finish_reason=length piece_size=7 newline="\\r\\n"]]

    directive = "[[fault" 1*( SP key "=" value ) "]]"
    key       = a field of `Fault`, or "headers." header name, or "times"
    value     = a double-quoted JSON string, or a word without blanks or "]"; a word is parsed as
                the type of the field: a number, true or false, numbers separated by commas

`times` is how many POSTs with exactly this directive get the fault; by default all. Of several
directives in one text the first with times left is used, so that
`[[fault status=429 times=1]] [[fault status=500 times=1]]` fails twice and then answers. Directives
are removed from the text before it is answered. An invalid one gets a 400 that says why. A fault of
`Emulator.faults` has precedence. A directive is known only after the body was read, so
`drop=before_read` is `after_read` there.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aimlapi_emulator.faults.fault import FIELDS, Fault, changed
from aimlapi_emulator.faults.fault_field import FaultError, nearest

_BEGIN = re.compile(r"\[\[fault\b")
_QUOTED = r"\"(?:[^\"\\]|\\.)*\""
_DIRECTIVE = re.compile(rf"\[\[fault\b((?:{_QUOTED}|(?!\]\])[^\"])*)\]\]", re.DOTALL)
_PAIR = re.compile(rf"\s+([\w.-]+)=({_QUOTED}|[^\s\]\"]*)(?=\s|$)")
_KEYS = ("times", *(name for name in FIELDS if name != "headers"))
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def strip_directives(text: str) -> str:
    """The text without its directives."""
    return _DIRECTIVE.sub("", text).strip() if "[[fault" in text else text


def find_directive(text: str, counts: dict[str, int]) -> Fault | None:
    """The fault of the first directive with times left, counted in `counts`. Raises FaultError."""
    found = list(_DIRECTIVE.finditer(text))
    if len(found) < len(_BEGIN.findall(text)):
        raise FaultError("fault directive: it is not closed by ]], or a quote in it is not")
    for match in found:
        times, fault = parse(match[1])
        used = counts.get(match[0], 0)
        if times is None or used < times:
            counts[match[0]] = used + 1
            return fault
    return None


def parse(inside: str) -> tuple[int | None, Fault]:
    """(times, fault) of the text between `[[fault` and `]]`. Raises FaultError."""
    rest = _PAIR.sub("", f" {inside}").strip()
    if rest or not inside.strip():
        raise FaultError(f"fault directive: {rest!r} is no key=value")
    values: dict[str, Any] = {}
    headers: dict[str, str] = {}
    times: int | None = None
    try:
        for key, raw in _PAIR.findall(f" {inside}"):
            text = json.loads(raw) if raw.startswith('"') else raw
            if key == "times":
                times = _times(text)
            elif key.startswith("headers."):
                headers[key.removeprefix("headers.")] = text
            elif key in _KEYS:
                values[key] = _value(key, text)
            else:
                raise FaultError(f"unknown field {key!r}{nearest(key, _KEYS)}")
        fault = Fault(**values, headers=headers)
        if not changed(fault):
            raise FaultError("it sets no field, so nothing would go wrong")
        return times, fault
    except ValueError as exc:
        raise FaultError(f"fault directive: {exc}") from exc


def _value(key: str, text: str) -> Any:
    kind = FIELDS[key].kind
    try:
        if "tuple" in kind:
            return tuple(map(int, text.split(",")))
        if "bytes" in kind:
            return text.encode()
        if "bool" in kind:
            return _TRUTHS[text.lower()]
        if "int" in kind:
            return int(text)
        return float(text) if "float" in kind else text
    except (KeyError, ValueError):
        wanted = {"bool": "true or false", "float": "a number"}.get(kind, "a whole number")
        raise FaultError(f"{key} wants {wanted}, got {text!r}") from None


def _times(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise FaultError(f"times wants a whole number from 1, got {text!r}")
    return int(text)
