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
`drop=before_read` is `after_read` there. A text has at most 100 directives of 10,000 characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from aimlapi_emulator.faults.fault import FIELDS, Fault
from aimlapi_emulator.faults.fault_field import FaultError, nearest

_MAX_DIRECTIVES, _MAX_LENGTH = 100, 10_000
_MAX_TIMES = 1_000_000
_BEGIN = re.compile(r"\[\[fault\b")
_QUOTED = r"\"(?:[^\"\\]|\\.)*\""
_DIRECTIVE = re.compile(rf"\[\[fault\b((?:{_QUOTED}|(?!\]\])[^\"])*)\]\]", re.DOTALL)
_PAIR = re.compile(rf"(?<!\s)\s+([\w.-]+)=({_QUOTED}|[^\s\]\"]*)(?=\s|$)")
_KEYS = ("times", *(name for name in FIELDS if name != "headers"))
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def strip_directives(text: str) -> str:
    """The text without its directives."""
    if "[[fault" not in text:
        return text
    parts, end = [], 0
    for match in _directives(text):
        parts.append(text[end : match.start()])
        end = match.end()
    return "".join([*parts, text[end:]]).strip()


def _directives(text: str) -> Iterator[re.Match[str]]:
    """The directives, as many as a text may have, up to one that is not closed."""
    end = 0
    for begin, _ in zip(_BEGIN.finditer(text), range(_MAX_DIRECTIVES), strict=False):
        if begin.start() < end:  # quoted in another
            continue
        match = _DIRECTIVE.match(text, begin.start(), begin.start() + _MAX_LENGTH)
        if match is None:
            return
        end = match.end()
        yield match


def find_directive(text: str, counts: dict[str, int]) -> Fault | None:
    """The fault of the first directive with times left, counted in `counts`. Raises FaultError."""
    begun = text.count("[[fault")
    if begun > _MAX_DIRECTIVES:
        raise FaultError(f"fault directives: a text has at most {_MAX_DIRECTIVES}, not {begun}")
    found = list(_directives(text))
    if len(found) < len(_BEGIN.findall(text)):
        raise FaultError(
            "fault directive: it is not closed by ]] within "
            f"{_MAX_LENGTH:,} characters, or a quote in it is not"
        )
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
        return times, Fault(**values, headers=headers)
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
    if not text.isdecimal() or not 1 <= int(text[:20]) <= _MAX_TIMES:
        raise FaultError(f"times wants a whole number from 1 to {_MAX_TIMES}, got {text!r}")
    return int(text)
