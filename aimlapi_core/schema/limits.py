"""The sizes that strict mode takes: depth, properties, enums, lengths of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core._json_reading import as_mapping
from aimlapi_core.schema.keywords import (
    MANY_ENUM_VALUES,
    MAX_DEPTH,
    MAX_ENUM_LENGTH,
    MAX_ENUM_VALUES,
    MAX_PROPERTIES,
    MAX_TOTAL_LENGTH,
)
from aimlapi_core.schema.references import DEFINITIONS, subschemas, walk


def exceeded_limit(strict: Mapping[str, Any]) -> str | None:
    """What a strict schema has too much of; None when it is within all limits."""
    depth = max(_depths(strict))
    if depth > MAX_DEPTH:
        return f"it is nested {depth} levels deep, and the limit is {MAX_DEPTH}"
    properties = enum_values = length = 0
    for schema in walk(strict):
        names = list(as_mapping(schema.get("properties")))
        for group in DEFINITIONS:
            length += sum(map(len, as_mapping(schema.get(group))))
        values = schema.get("enum") or ()
        strings = [value for value in (*values, schema.get("const")) if isinstance(value, str)]
        in_enum = sum(map(len, strings))
        if len(values) > MANY_ENUM_VALUES and in_enum > MAX_ENUM_LENGTH:
            return (
                f"an enum of {len(values)} values has {in_enum:,} characters, and the limit is "
                f"{MAX_ENUM_LENGTH:,} above {MANY_ENUM_VALUES} values"
            )
        properties += len(names)
        enum_values += len(values)
        length += in_enum + sum(map(len, names))
    counts = (
        (properties, MAX_PROPERTIES, "properties"),
        (enum_values, MAX_ENUM_VALUES, "enum values"),
        (length, MAX_TOTAL_LENGTH, "characters in names and values"),
    )
    for count, limit, what in counts:
        if count > limit:
            return f"it has {count:,} {what}, and the limit is {limit:,}"
    return None


def _depths(schema: Any) -> Iterator[int]:
    """The depth of each subschema; the root's is 0, and a reference is not followed.

    So counts OpenAI's own library (openai-java, JsonSchemaValidator.kt, seen 2026-11-29): an
    option of `anyOf` is a level too. Whether the API counts those is not documented.
    """
    pending: list[tuple[Any, int]] = [(schema, 0)]
    while pending:
        one, depth = pending.pop()
        yield depth
        if isinstance(one, Mapping):
            pending.extend((inner, depth + 1) for inner in subschemas(one))
