"""Converts JSON Schemas to strict mode (`strict: true`).

Strict mode requires `additionalProperties: false` and all properties, and supports a subset of JSON
Schema: see `keywords` for the rules and their source. An optional property becomes a required
nullable one; `drop_added_nulls` removes such nulls from the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aimlapi_core._json_reading import as_mapping
from aimlapi_core.schema.keywords import (
    ANNOTATING_FORMATS,
    CHECKED_BY_CLASSES,
    FORMATS,
    MANY_ENUM_VALUES,
    MAX_DEPTH,
    MAX_ENUM_LENGTH,
    SUPPORTED_KEYWORDS,
    UNSUPPORTED_KEYWORDS,
    is_supported_pattern,
)
from aimlapi_core.schema.limits import exceeded_limit
from aimlapi_core.schema.nullability import allows_null, optional_without_null
from aimlapi_core.schema.references import (
    DEFINITIONS,
    LISTS_OF_SCHEMAS,
    MAPS_OF_SCHEMAS,
    SCHEMAS,
    find_pointer,
    inline_root_ref,
)
from aimlapi_core.schema.strict_types import NotStrict, typed, types_of
from aimlapi_core.schema.values import ANNOTATIONS, UNFIT, keyword_value, shown, unique

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_WITH_SUBSCHEMAS = MAPS_OF_SCHEMAS | LISTS_OF_SCHEMAS | SCHEMAS
_REF = re.compile(r"#|#/(\$defs|definitions)/[A-Za-z0-9._-]+")


class OpenSchemaWarning(UserWarning):
    """A schema was sent without `strict: true`, which does not take it."""


class StrictSchema(dict[str, Any]):
    """A schema in the form that strict mode takes."""


def strict_schema(
    schema: Mapping[str, Any], *, is_validated: bool = False, may_add_nulls: bool = True
) -> tuple[dict[str, Any], None] | tuple[None, str]:
    """(the strict schema, None), or (None, why there is none). Does not modify `schema`.

    `is_validated` says that a class holds the answer to the schema afterwards: what strict mode has
    no form for is then left out, and said in the description, where the class checks it by itself
    (`pattern`, `format`, `minLength`, `maxLength`, `uniqueItems`). Without `may_add_nulls` a schema
    with a property that may be left out and may not be null has no strict form: what parses the
    answer would fail on its null.
    """
    if isinstance(schema, StrictSchema):
        return schema, None
    try:
        root = inline_root_ref(schema)
        converter = _Converter(root, is_validated)
        strict = converter.converted_root()
    except NotStrict as why:
        return None, str(why)
    except RecursionError:
        return None, "it is nested too deeply"
    reason = exceeded_limit(strict) if converter.is_large() else None
    if not may_add_nulls and (missing := optional_without_null(schema)):
        reason = f"{missing!r} is optional and does not allow null"
    return (None, reason) if reason else (StrictSchema(strict), None)


class _Converter:
    """Converts one schema. `root` is its root, with a root `$ref` resolved."""

    def __init__(self, root: Mapping[str, Any], is_validated: bool) -> None:
        self._root = root
        self._is_validated = is_validated
        self._schemas = self._values = self._length = self._level = self._deepest = 0

    def is_large(self) -> bool:
        """Whether what was converted can be beyond a limit of strict mode. Most schemas are not.

        A level of the given schema is at most two of the strict one: `anyOf` stands between.
        """
        many = self._schemas + self._values > MANY_ENUM_VALUES
        return many or self._length > MAX_ENUM_LENGTH or 2 * self._deepest > MAX_DEPTH

    def converted_root(self) -> dict[str, Any]:
        strict = self._convert(
            {key: value for key, value in self._root.items() if key not in DEFINITIONS},
            "schema",
            is_root=True,
        )
        if strict.get("type") != "object" or "anyOf" in strict:
            raise NotStrict("the root is not an object")
        for group in DEFINITIONS:
            definitions = as_mapping(self._root.get(group))
            for name in definitions:
                if not _NAME.fullmatch(str(name)):
                    raise NotStrict(f"the definition {name!r} is no name")
            if definitions:
                self._length += sum(map(len, definitions))
                strict[group] = {
                    name: self._convert(value, name) for name, value in definitions.items()
                }
        return strict

    def _convert(self, schema: Any, where: str, *, is_root: bool = False) -> dict[str, Any]:
        if not isinstance(schema, (dict, Mapping)) or not schema:
            raise NotStrict(f"{where} allows any value")
        self._schemas += 1
        self._deepest = max(self._deepest, self._level)
        self._level += 1
        try:
            return self._converted(_with_single_all_of(schema), where, is_root)
        finally:
            self._level -= 1

    def _converted(self, schema: Mapping[str, Any], where: str, is_root: bool) -> dict[str, Any]:
        out = self._supported_keywords(schema, where)
        if "$ref" in out:
            self._check_ref(out, where)
            return _wrap_ref(out)
        if "anyOf" in out:
            if not isinstance(out["anyOf"], list) or not out["anyOf"]:
                raise NotStrict(f"{where} has an anyOf that is no list")
            out["anyOf"] = [self._convert(option, f"{where} option") for option in out["anyOf"]]
        if "enum" in out or "const" in out:
            values = out["enum"] if isinstance(out.get("enum"), list) else [out.get("const")]
            self._values += len(values)
            self._length += sum(len(value) for value in values if isinstance(value, str))
        out = typed(out, where)
        kinds = types_of(out, where)
        if "array" in kinds:
            out["items"] = self._convert(out.get("items"), f"items of {where}")
        elif "items" in out:
            raise NotStrict(f"{where} has items and is no array")
        if "object" in kinds:
            return self._closed_object(out, where, is_root)
        if "properties" in out:
            raise NotStrict(f"{where} has properties and is no object")
        return out

    def _supported_keywords(self, schema: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The keywords that strict mode takes. Annotations are left out."""
        out: dict[str, Any] = {}
        hints: list[str] = []
        for keyword, given in schema.items():
            if given is None and keyword != "const":
                continue
            value = given if keyword in _WITH_SUBSCHEMAS else keyword_value(keyword, given)
            if value is UNFIT or (keyword == "enum" and len(value) < len(given)):
                if keyword in ANNOTATIONS:
                    continue
                raise NotStrict(f"{where} has the {keyword} {shown(given)}")
            if keyword == "oneOf":
                out["anyOf"] = value
            elif keyword == "format" and str(value) not in FORMATS:
                if str(value) not in ANNOTATING_FORMATS and not self._is_validated:
                    raise NotStrict(f"{where} has the format {value!r}")
                hints.append(f"format: {value}")
            elif keyword == "pattern" and not is_supported_pattern(value):
                if not self._is_validated:
                    raise NotStrict(f"{where} has the pattern {value!r}")
                hints.append(f"pattern: {value}")
            elif keyword in CHECKED_BY_CLASSES and self._is_validated:
                hints.append(f"{keyword}: {json.dumps(value)}")
            elif keyword in UNSUPPORTED_KEYWORDS or keyword in DEFINITIONS:
                raise NotStrict(f"{where} uses {keyword!r}")
            elif keyword in SUPPORTED_KEYWORDS:
                out[keyword] = unique(value) if keyword == "enum" else value
        return with_hints(out, hints)

    def _check_ref(self, schema: Mapping[str, Any], where: str) -> None:
        ref = schema["$ref"]
        if not set(schema) <= {"$ref", "description", "type"}:
            raise NotStrict(f"{where} adds to what it refers to")
        if not isinstance(ref, str) or not _REF.fullmatch(ref):
            raise NotStrict(f"{where} refers to {ref!r}, which is no definition at the root")
        if find_pointer(self._root, ref) is None:
            raise NotStrict(f"{where} refers to {ref!r}, which is not there")

    def _closed_object(self, schema: dict[str, Any], where: str, is_root: bool) -> dict[str, Any]:
        """An object schema with all properties required and no additional ones."""
        if schema.get("additionalProperties") not in (None, False):
            raise NotStrict(f"{where} allows properties of any name")
        properties = schema.get("properties")
        if not isinstance(properties, (dict, Mapping)):
            if not is_root:
                raise NotStrict(f"{where} is an object of any shape")
            properties = {}
        if not all(isinstance(name, str) for name in properties):
            raise NotStrict(f"{where} has a property whose name is no string")
        self._length += sum(map(len, properties))
        required = schema.get("required") or ()
        if not isinstance(required, (list, tuple)) or not all(
            isinstance(name, str) and name in properties for name in required
        ):
            raise NotStrict(f"{where} requires {required!r}, which are not all described")
        return {
            **schema,
            "properties": {
                name: self._property(value, name, name in required)
                for name, value in properties.items()
            },
            "required": list(properties),
            "additionalProperties": False,
        }

    def _property(self, schema: Any, name: str, is_required: bool) -> dict[str, Any]:
        strict = self._convert(schema, name)
        if is_required:
            return strict
        default = as_mapping(schema).get("default")
        if default is not None and allows_null(schema, self._root):
            # Null is a value of its own here: only the model can choose the default.
            strict = with_hints(_wrap_ref(dict(strict), always=True), _default_hints(default))
        return _make_nullable(strict)


def with_hints(schema: dict[str, Any], hints: list[str]) -> dict[str, Any]:
    """The schema with what was left out of it at the end of its description."""
    if not hints:
        return schema
    described = schema.get("description")
    words = [described] if isinstance(described, str) and described else []
    return {**schema, "description": " ".join([*words, f"({'; '.join(hints)})"])}


def _default_hints(default: Any) -> list[str]:
    value = keyword_value("default", default)
    if value is not UNFIT:
        return [f"default: {json.dumps(value, ensure_ascii=False)}"]
    return [f"default: {default}"] if isinstance(default, float) else []


def _with_single_all_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with an `allOf` of one inlined: how pydantic.v1 writes a described `$ref`."""
    parts = schema.get("allOf")
    if not isinstance(parts, list) or len(parts) != 1:
        return schema
    rest = {keyword: value for keyword, value in schema.items() if keyword != "allOf"}
    return {**rest, **as_mapping(parts[0])}


def _wrap_ref(schema: dict[str, Any], *, always: bool = False) -> dict[str, Any]:
    """Wrap a `$ref` with sibling keywords, which strict mode does not allow, in `anyOf`."""
    siblings = {key: value for key, value in schema.items() if key != "$ref"}
    if "$ref" not in schema or not (siblings or always):
        return schema
    return {"anyOf": [{"$ref": schema["$ref"]}], **siblings}


def _make_nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema and allows_null(schema, {}):
        return schema
    described = {"description": schema["description"]} if "description" in schema else {}
    bare = {key: value for key, value in schema.items() if key != "description"}
    options = bare["anyOf"] if set(bare) == {"anyOf"} else [bare]
    return {"anyOf": [*options, {"type": "null"}], **described}
