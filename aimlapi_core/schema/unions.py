"""Merges what a root schema combines (`allOf`, `anyOf`, `oneOf`) into one object schema.

The service takes none of these at the root of a tool's parameters. Of a union the merged object has
the properties of all options, and requires what all of them require; which of them belong together
is said in its description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aimlapi_core._json_reading import as_mapping
from aimlapi_core.schema.references import DEFINITIONS, resolve_ref
from aimlapi_core.schema.strict import with_hints

_COMBINING = ("allOf", "anyOf", "oneOf")
# Refused at the root as well, and an object has no other form of them.
_REFUSED = ("enum", "const", "not")
_MERGED = frozenset((*_COMBINING, *_REFUSED, "type", "properties", "required", "$ref"))
# Keywords of a part of the root that concern itself alone, or the properties beside it.
_OWN = frozenset(
    "title description additionalProperties unevaluatedProperties discriminator default examples "
    "$comment $id $schema".split()
).union(DEFINITIONS)


def merged_root(root: Mapping[str, Any]) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """(one object schema for the root, what it had to leave out); None where no object fits."""
    if not any(keyword in root for keyword in (*_COMBINING, *_REFUSED)):
        return (dict(root) if _may_be_object(root) else None), ()
    merger = _Merger(root)
    merged = merger.merge(root, ())
    if merged is None:
        return None, ()
    return with_hints(merged, merger.hints), tuple(merger.left_out)


def _may_be_object(schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type", "object")
    return bool(kinds == "object" or (isinstance(kinds, list) and "object" in kinds))


class _Merger:
    """Merges one root. `hints` are for its description."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self.hints: list[str] = []
        self.left_out: list[str] = []

    def merge(self, schema: Mapping[str, Any], within: tuple[int, ...]) -> dict[str, Any] | None:
        """The schema as one object; None when it allows none. `within`: what it is a part of."""
        schema = resolve_ref(schema, self._root)
        if id(schema) in within or not _may_be_object(schema):
            return None
        within = (*within, id(schema))
        out = {key: value for key, value in schema.items() if key not in _MERGED}
        out["properties"] = dict(as_mapping(schema.get("properties")))
        out["required"] = list(schema.get("required", ()))
        self.left_out += [f"{keyword!r} at its root" for keyword in _REFUSED if keyword in schema]
        for part in schema.get("allOf", ()):
            merged = self.merge(part, within)
            if merged is None:
                return None
            self._add(out, merged)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                options = [self.merge(option, within) for option in schema[keyword]]
                objects = [option for option in options if option is not None]
                if not objects:
                    return None
                self._add(out, self._union(objects))
        if not out["required"]:
            del out["required"]
        return out

    def _add(self, out: dict[str, Any], part: Mapping[str, Any]) -> None:
        """Add to an object schema what another one demands as well."""
        for name, inner in part["properties"].items():
            known = out["properties"].get(name)
            if not known or known == inner:
                out["properties"][name] = inner
            elif inner:
                out["properties"][name] = {"allOf": [known, inner]}
        required = (*out.get("required", ()), *part.get("required", ()))
        out["required"] = [*dict.fromkeys(required)]
        for keyword, value in part.items():
            if keyword in _MERGED or keyword in _OWN:
                continue
            if out.setdefault(keyword, value) != value:
                self.left_out.append(f"{keyword!r} of a part of its root")

    def _union(self, options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """One object that allows what any of the options allows."""
        for option in options:
            self.left_out += [
                f"{keyword!r} of an option of its root"
                for keyword in option
                if keyword not in _MERGED and keyword not in _OWN
            ]
        sets = dict.fromkeys(
            ", ".join(option.get("required") or option["properties"]) for option in options
        )
        if len(sets) > 1:
            self.hints.append(f"give one of these sets of properties: {' | '.join(sets)}")
        required = [
            name
            for name in options[0].get("required", ())
            if all(name in option.get("required", ()) for option in options)
        ]
        names = dict.fromkeys(name for option in options for name in option["properties"])
        properties = {name: _in_any(name, options) for name in names}
        return {"properties": properties, "required": required}


def _in_any(name: str, options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of a property in any of the options that have it."""
    found: list[dict[str, Any]] = []
    for option in options:
        inner = option["properties"].get(name)
        if inner is not None and inner not in found:
            found.append(inner)
    return found[0] if len(found) == 1 else {"anyOf": found}
