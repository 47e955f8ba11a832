"""Readings of a JSON Schema node: references, merges, kinds, bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from aimlapi_emulator.text.bounds import MAX_TEXT, check_cpu, check_size

Schema = Mapping[str, Any]

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading a schema raises that is none, though an object: the service takes any."""

_KEYWORDS = {
    "object": {"properties", "additionalProperties"},
    "array": {"items", "prefixItems"},
    "number": {"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"},
}


def infer_type(schema: Schema) -> str:
    """The JSON type of a schema that names none."""
    for kind, keywords in _KEYWORDS.items():
        if not keywords.isdisjoint(schema):
            return kind
    return "string"


def _pointer(root: Schema, reference: str) -> Schema:
    """The schema that a local reference points at; empty when there is none."""
    node: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if key and isinstance(node, Mapping):
            node = node.get(key, {})
    return node if isinstance(node, Mapping) else {}


def resolved(root: Schema, schema: Any) -> Schema:
    """The schema behind references into `root`, `allOf` merged in, keywords of null left out."""
    check_cpu()
    seen = 0
    while isinstance(schema, Mapping) and "$ref" in schema and seen < 20:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**_pointer(root, schema["$ref"]), **beside}
        seen += 1
    if not isinstance(schema, Mapping):
        return {}
    merged = {k: v for k, v in schema.items() if v is not None or k in ("const", "default")}
    for part in map(partial(resolved, root), merged.pop("allOf", ())):
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged |= part
        merged |= {"properties": properties, "required": required} if properties else {}
    return merged


def bounds(schema: Schema, *, whole: bool) -> tuple[float, float]:
    """(lowest, highest) number that a schema allows, both inclusive."""
    low = float(schema.get("minimum", -math.inf))
    high = float(schema.get("maximum", math.inf))
    step = 1.0 if whole else 1e-6
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        low = max(low, math.floor(schema["exclusiveMinimum"] / step) * step + step)
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        high = min(high, math.ceil(schema["exclusiveMaximum"] / step) * step - step)
    return low, high


def number_in_range(low: float, high: float, step: float | None, *, whole: bool) -> float | int:
    """A number between bounds: the middle, else 1 or what is nearest to it."""
    is_closed = math.isfinite(low) and math.isfinite(high)
    value = (low + high) / 2 if is_closed else min(max(low, 1.0), high)
    step = step or (1 if whole else None)
    if step:
        value = math.floor(value / step) * step
        value = value if value >= low else value + step
    return int(value) if whole or (step and float(value).is_integer()) else value


def fit_length(text: str, schema: Schema) -> str:
    """The text cut or filled up to the schema's length."""
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    check_size(low, MAX_TEXT, "minLength")
    text = text if high is None else text[: int(high)]
    return text.ljust(int(low), ".")
