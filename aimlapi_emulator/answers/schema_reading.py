"""Readings of a JSON Schema node: references, merges, kinds, bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from aimlapi_emulator.text.bounds import MAX_TEXT, check_cpu, check_size

Schema = Mapping[str, Any]

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading a schema raises that is none, though an object: the service takes any."""

_MAY_BE_NULL = ("const", "default")


def infer_type(schema: Schema) -> str:
    """The JSON type of a schema that names none."""
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    if {"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"} & set(schema):
        return "number"
    return "string"


def pointer(root: Schema, reference: str) -> Mapping[str, Any]:
    """The schema that a local reference points at; empty when there is none."""
    node: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if key and isinstance(node, Mapping):
            node = node.get(key, {})
    return node if isinstance(node, Mapping) else {}


def merge(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Two schemas that hold at once, as one."""
    merged = {**left, **right}
    if "properties" in left and "properties" in right:
        merged["properties"] = {**left["properties"], **right["properties"]}
    if "required" in left and "required" in right:
        merged["required"] = [*left["required"], *right["required"]]
    return merged


def resolved(root: Schema, schema: Any) -> Schema:
    """The schema behind references into `root`, `allOf` merged in, keywords of null left out."""
    check_cpu()
    seen = 0
    while isinstance(schema, Mapping) and "$ref" in schema and seen < 20:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**pointer(root, schema["$ref"]), **beside}
        seen += 1
    if not isinstance(schema, Mapping):
        return {}
    merged = {k: v for k, v in schema.items() if v is not None or k in _MAY_BE_NULL}
    for part in merged.pop("allOf", ()):
        merged = merge(merged, resolved(root, part))
    return merged


def singular(name: str) -> str:
    """The name of one item of a list by that name."""
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


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
    if math.isfinite(low) and math.isfinite(high):
        value = (low + high) / 2
    else:
        value = max(low, 1.0) if high >= 1 else high
    if step:
        value = math.floor(value / step) * step
        value = value if value >= low else value + step
        return int(value) if whole or float(value).is_integer() else value
    if whole:
        return math.floor(value) if math.floor(value) >= low else math.ceil(value)
    return value


def fit_length(text: str, schema: Schema) -> str:
    """The text cut or filled up to the schema's length."""
    high = schema.get("maxLength")
    if high is not None and len(text) > high:
        text = text[: int(high)]
    check_size(schema.get("minLength", 0), MAX_TEXT, "minLength")
    low = int(schema.get("minLength", 0))
    return text if len(text) >= low else text.ljust(low, ".")
