"""Walks JSON Schemas by their keywords, and resolves local `$ref`s.

A property may have the name of a keyword (`properties`, `items`, `$ref`): only values at the places
that JSON Schema gives to subschemas are read as schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from aimlapi_core._json_reading import as_mapping

# Keywords whose value is a mapping of subschemas, a list of them, or one.
MAPS_OF_SCHEMAS = frozenset(
    ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
)
LISTS_OF_SCHEMAS = frozenset(("anyOf", "oneOf", "allOf", "prefixItems"))
SCHEMAS = frozenset(
    "items additionalProperties additionalItems not if then else contains propertyNames "
    "unevaluatedItems unevaluatedProperties contentSchema".split()
)
DEFINITIONS = ("$defs", "definitions")


def subschemas(schema: Mapping[str, Any]) -> Iterator[Any]:
    """The direct subschemas of a schema."""
    for keyword, value in schema.items():
        if keyword in MAPS_OF_SCHEMAS:
            yield from as_mapping(value).values()
        elif keyword in LISTS_OF_SCHEMAS or (keyword == "items" and isinstance(value, list)):
            yield from value if isinstance(value, list) else ()
        elif keyword in SCHEMAS:
            yield value


def walk(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and its subschemas at any depth, none of them by reference, each object once."""
    pending, seen = [schema], set()
    while pending:
        one = pending.pop()
        if isinstance(one, (dict, Mapping)) and id(one) not in seen:
            seen.add(id(one))
            yield one
            pending.extend(subschemas(one))


def find_pointer(root: Mapping[str, Any], ref: str) -> Mapping[str, Any] | None:
    """The target of a local `$ref` such as "#/$defs/Node"; None if there is none."""
    if not ref.startswith("#"):
        return None
    node: Any = root
    for step in ref[1:].strip("/").split("/") if ref.strip("#/") else ():
        node = as_mapping(node).get(step.replace("~1", "/").replace("~0", "~"))
    return node if isinstance(node, (dict, Mapping)) else None


def local_ref(root: Mapping[str, Any], ref: str) -> str | None:
    """A `$ref` in any form as the plain pointer to the same target; None if there is none.

    Percent-encoded, as TypeScript's generators write it; behind the root's own `$id`; or the
    `$anchor` or `$id` of a definition, as bundlers leave it.
    """
    if find_pointer(root, ref) is not None:
        return ref
    base = root.get("$id")
    if isinstance(base, str) and base:
        ref = ref.removeprefix(base.removesuffix("#")) or "#"
    for plain in (ref, unquote(ref)):
        if find_pointer(root, plain) is not None:
            return plain
    for group in DEFINITIONS:
        for name, one in as_mapping(root.get(group)).items():
            named = as_mapping(one)
            if ref in (named.get("$id"), f"#{named.get('$anchor')}"):
                return f"#/{group}/{str(name).replace('~', '~0').replace('/', '~1')}"
    return None


def resolve_ref(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The target of a local `$ref`, followed to its end; an empty schema if it does not exist."""
    seen = set()
    while isinstance(ref := schema.get("$ref"), str) and ref not in seen:
        seen.add(ref)
        schema = find_pointer(root, local_ref(root, ref) or ref) or {}
    return schema


def inline_root_ref(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with a root `$ref` replaced by its target: the service wants an object there.

    pydantic makes such a root for a recursive class. One that leads back to itself says nothing.
    """
    named = resolve_ref(schema, schema) if isinstance(schema.get("$ref"), str) else {}
    return {key: value for key, value in {**named, **schema}.items() if key != "$ref"}


def has_missing_refs(schema: Mapping[str, Any]) -> bool:
    """Whether a `$ref` of the schema refers to nothing in it."""
    return any(find_pointer(schema, ref) is None for ref in set(_refs(schema)))


def is_recursive(schema: Mapping[str, Any]) -> bool:
    """Whether a `$ref` of the schema is cyclic."""
    return any(_is_cyclic(schema, ref) for ref in set(_refs(schema)))


def _is_cyclic(schema: Mapping[str, Any], start: str) -> bool:
    pending, seen = [start], {start}
    while pending:
        found = set(_refs(find_pointer(schema, pending.pop())))
        if start in found:
            return True
        pending.extend(found - seen)
        seen |= found
    return False


def _refs(schema: Any) -> Iterator[str]:
    for one in walk(schema):
        if isinstance(one.get("$ref"), str):
            yield one["$ref"]
