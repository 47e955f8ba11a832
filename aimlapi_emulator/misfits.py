"""Where a JSON value leaves a JSON Schema.

Judged are types, constants, required and unknown properties, items, unions, bounds, lengths and
patterns; any other keyword allows everything, so that nothing right is called wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .checks import kind
from .shapes import UNREADABLE, Schema, resolved


def misfits(schema: Schema, value: Any) -> list[str]:
    """What is wrong with a value, as `path: reason`; empty when it fits."""
    try:
        found = list(_walk(schema, schema, value, ""))
    except UNREADABLE:
        return []
    return [f"{path or 'the whole'}: {reason}" for path, reason in found]


def _walk(root: Schema, raw: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
    schema = resolved(root, raw)
    options = schema.get("anyOf") or schema.get("oneOf") or ()
    tried = [list(_walk(root, option, value, path)) for option in options]
    if tried and all(tried):
        yield from min(tried, key=len)  # of the option that it misses least
        return
    if "const" in schema and not _same(value, schema["const"]):
        yield path, f"{value!r} is not {schema['const']!r}"
    if "enum" in schema and not any(_same(value, member) for member in schema["enum"]):
        yield path, f"{value!r} is none of {', '.join(map(repr, schema['enum']))}"
    types = schema.get("type", ())
    wanted = [types] if isinstance(types, str) else list(types)
    if wanted and not any(_is(value, name) for name in wanted):
        yield path, f"{value!r} is no {' or '.join(wanted)}"
        return
    if isinstance(value, Mapping):
        yield from _members(root, schema, value, path)
    elif isinstance(value, list | tuple):
        yield from _items(root, schema, value, path)
    else:
        yield from ((path, reason) for reason in _bounds(schema, value))


def _same(value: Any, other: Any) -> bool:
    return kind(value) == kind(other) and value == other  # 1 is not true


def _is(value: Any, name: str) -> bool:
    if name == "integer":
        return kind(value) == "number" and (isinstance(value, int) or value.is_integer())
    if name == "array":
        return isinstance(value, list | tuple)
    return name == ("object" if isinstance(value, Mapping) else kind(value))


def _members(
    root: Schema, schema: Schema, value: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            yield _join(path, name), "is required"
    for name, member in value.items():
        extra = schema.get("additionalProperties", True)
        if name in properties:
            yield from _walk(root, properties[name], member, _join(path, name))
        elif extra is False and not schema.get("patternProperties"):
            yield _join(path, name), f"is unknown; known are {', '.join(properties) or 'none'}"
        elif isinstance(extra, Mapping) and not schema.get("patternProperties"):
            yield from _walk(root, extra, member, _join(path, name))


def _items(
    root: Schema, schema: Schema, value: Sequence[Any], path: str
) -> Iterator[tuple[str, str]]:
    yield from ((path, reason) for reason in _size(schema, len(value), "Items", "items"))
    if not schema.get("prefixItems"):
        for index, item in enumerate(value):
            yield from _walk(root, schema.get("items", {}), item, _join(path, str(index)))


def _bounds(schema: Schema, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _size(schema, len(value), "Length", "characters")
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and not _found(pattern, value):
            yield f"{value!r} does not match {pattern!r}"
    elif kind(value) == "number":
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield f"{value!r} is out of bounds"
        low, high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        if (low is not None and value <= low) or (high is not None and value >= high):
            yield f"{value!r} is out of bounds"


def _size(schema: Schema, size: int, word: str, what: str) -> Iterator[str]:
    if size < schema.get(f"min{word}", size) or size > schema.get(f"max{word}", size):
        yield f"{size} {what} are too few or too many"


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # a pattern of another dialect
        return True


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
