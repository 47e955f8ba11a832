"""Makes the JSON Schema of a tool's parameters, or of an open answer, one that the service takes.

OpenAI refuses what is valid JSON Schema, and what other software lost parts of (reports, seen
2026-11-29; AI/ML API passes OpenAI's refusals on):
- "object schema missing properties" (langchain-mcp-adapters #137), "array schema missing items"
  (mcphost #35), "array schema items is not an object" for `items: true`;
- "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top
  level" (langchainjs #9804, google-calendar-mcp #39): see `unions`;
- "reference to component '#/$defs/X' which was not found in the schema";
- what the metaschema forbids: null for a keyword, unknown types, `required: true`;
- patterns: see `keywords`.
One tool that is refused ends each call of an agent that has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aimlapi_core._json_reading import as_mapping
from aimlapi_core._values.nearest_json import nearest_json
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core.errors import InvalidRequestError
from aimlapi_core.schema.keywords import TYPES, is_supported_pattern
from aimlapi_core.schema.references import (
    DEFINITIONS,
    LISTS_OF_SCHEMAS,
    MAPS_OF_SCHEMAS,
    SCHEMAS,
    inline_root_ref,
    local_ref,
    walk,
)
from aimlapi_core.schema.strict import StrictSchema, with_hints
from aimlapi_core.schema.unions import merged_root
from aimlapi_core.schema.values import UNFIT, keyword_value, shown, unique
from aimlapi_core.types import JsonSchema

_MAY_BE_NULL = frozenset(("default", "const"))
_MAY_BE_BOOLEAN = SCHEMAS - {"items"}


class ObjectSchema(dict[str, Any]):
    """A schema that `object_schema` made, and need not look at again."""


def object_schema(schema: Any, subject: str) -> Mapping[str, Any]:
    """The schema in a form that the service takes; `subject` says what it is the schema of.

    Does not modify `schema`. Warns once of what had to be left out. Raises InvalidRequestError, by
    the subject, where there is no object to ask for.
    """
    if isinstance(schema, (ObjectSchema, StrictSchema)):
        return schema
    if not isinstance(schema, (dict, Mapping)):
        if schema is not None:
            raise InvalidRequestError(
                f"The schema of {subject} must be a JSON Schema as a dict, not {schema!r:.80}."
            )
        schema = {}
    try:
        found, left_out = _object_schema(schema, subject)
    except RecursionError:
        raise InvalidRequestError(
            f"The schema of {subject} is nested too deeply, or holds itself."
        ) from None
    if left_out:
        what = ", ".join(dict.fromkeys(left_out))
        warn_once(
            ("object_schema", subject, what),
            f"The schema of {subject} is sent without {what}: the service takes none. Whatever "
            "reads the model's arguments must check them.",
            UserWarning,
        )
    return found


def answer_schema(wanted: JsonSchema) -> Mapping[str, Any]:
    """The schema of a response format as it is sent: a strict one is the caller's own work."""
    if wanted.strict:
        return dict(wanted.schema)
    return object_schema(wanted.schema, f"the response format {wanted.name!r}")


def _object_schema(schema: Mapping[str, Any], subject: str) -> tuple[ObjectSchema, list[str]]:
    root = inline_root_ref(schema)
    properties = root.get("properties")
    if properties == []:  # an empty map, as PHP writes it
        root, properties = {**root, "properties": {}}, None
    if properties is not None and not isinstance(properties, (dict, Mapping)):
        raise InvalidRequestError(
            f"The 'properties' of {subject} must be a dict of names and schemas, not "
            f"{properties!r:.80}."
        )
    root = _with_only_definition(root, subject)
    cleaner = _Cleaner(root)
    cleaned = cleaner.clean(root)
    ref = schema.get("$ref")
    if isinstance(ref, str) and local_ref(schema, ref) is None:
        cleaner.left_out.append(f"{ref!r}, which it does not define")
    merged, left_out = merged_root(cleaned)
    if merged is None:
        raise InvalidRequestError(
            f"The schema of {subject} allows no object (its type is {cleaned.get('type')!r}), and "
            "the service takes objects only: make it a property of one."
        )
    whole = ObjectSchema({**merged, "type": "object", "properties": merged.get("properties", {})})
    return whole, [*cleaner.left_out, *left_out]


def _with_only_definition(root: dict[str, Any], subject: str) -> dict[str, Any]:
    """A root that has definitions only, with the one of them that no other refers to inlined.

    LlamaIndex drops the root `$ref` of a recursive class (`ToolMetadata.get_parameters_dict`).
    """
    definitions = {
        f"#/{group}/{name}": value
        for group in DEFINITIONS
        for name, value in as_mapping(root.get(group)).items()
    }
    if not definitions or not set(root) <= {*DEFINITIONS, "title", "description", "$schema"}:
        return root
    refs = {name: {one.get("$ref") for one in walk(value)} for name, value in definitions.items()}
    roots = [
        name
        for name in definitions
        if not any(name in referred for other, referred in refs.items() if other != name)
    ]
    if len(roots) != 1:
        raise InvalidRequestError(
            f"The schema of {subject} has definitions ({', '.join(definitions)}) and does not say "
            "which of them it is: add '$ref' or 'properties' to it."
        )
    return {**as_mapping(definitions[roots[0]]), **root}


class _Cleaner:
    """Takes out of a schema, at any depth, what the service refuses there."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self.left_out: list[str] = []

    def clean(self, schema: Any) -> dict[str, Any]:
        if not isinstance(schema, (dict, Mapping)):
            return {"not": {}} if schema is False else {}
        out: dict[str, Any] = {}
        hints: list[str] = []
        for keyword, value in schema.items():
            if (value is None and keyword not in _MAY_BE_NULL) or not isinstance(keyword, str):
                continue
            if keyword in MAPS_OF_SCHEMAS:
                inner = as_mapping(value).items()
                out[keyword] = {_name(name): self.clean(one) for name, one in inner}
            elif keyword in LISTS_OF_SCHEMAS or (keyword == "items" and isinstance(value, list)):
                if isinstance(value, list) and value:
                    # `items` as a list is a tuple, before draft 2020-12.
                    place = "prefixItems" if keyword == "items" else keyword
                    out[place] = [self.clean(one) for one in value]
            elif keyword in SCHEMAS and not (
                keyword in _MAY_BE_BOOLEAN and isinstance(value, bool)
            ):
                out[keyword] = self.clean(value)
            elif keyword == "required":
                if isinstance(value, (list, tuple)):
                    names = (name for name in value if isinstance(name, str))
                    out[keyword] = [*dict.fromkeys(names)]
            elif keyword == "type":
                if (fit := _fit_type(value)) is UNFIT:
                    hints.append(f"type: {value}")
                else:
                    out[keyword] = fit
            elif keyword == "$ref":
                target = local_ref(self._root, value) if isinstance(value, str) else None
                if target is None:
                    self.left_out.append(f"{value!r}, which it does not define")
                else:
                    out[keyword] = target
            elif self._is_kept(keyword, value, hints):
                fit = keyword_value(keyword, value)
                if fit is UNFIT:
                    self._report(keyword, value, hints)
                elif keyword == "enum" and len(fit) < len(value):
                    self.left_out.append(f"{len(value) - len(fit)} of the values {shown(value)}")
                if fit is not UNFIT:
                    out[keyword] = unique(fit) if keyword == "enum" else fit
        return with_hints(self._whole(out, schema), hints)

    def _report(self, keyword: str, value: Any, hints: list[str]) -> None:
        """Say what had to be left out: numbers and words in the description, else in a warning."""
        if isinstance(value, (bool, int, float, str)):
            hints.append(f"{keyword}: {value}")
        else:
            self.left_out.append(f"the {keyword} {shown(value)}")

    def _is_kept(self, keyword: str, value: Any, hints: list[str]) -> bool:
        """Whether the service takes this value; what it says goes to the hints if not."""
        if keyword == "enum" and isinstance(value, (list, tuple, dict)):
            return bool(value)
        if keyword == "pattern" and not is_supported_pattern(value):
            hints.append(f"pattern: {value}")
            return False
        return True

    def _whole(self, out: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """The schema with what must be there beside what is."""
        kinds = out.get("type")
        if "items" not in out and (
            kinds == "array" or (isinstance(kinds, list) and "array" in kinds)
        ):
            out["items"] = {}
        properties = as_mapping(given.get("properties"))
        marked = [
            name for name, one in properties.items() if as_mapping(one).get("required") is True
        ]
        if marked:  # as draft 3 wrote it
            out["required"] = [*dict.fromkeys((*out.get("required", ()), *marked))]
        return out


def _name(given: Any) -> str:
    """The name of a property, which a Python dict may hold as another value."""
    return given if isinstance(given, str) else str(nearest_json(given)[0])


def _fit_type(value: Any) -> Any:
    """The types, each once and in JSON Schema's spelling (Gemini writes "STRING"); else UNFIT."""
    given = value if isinstance(value, (list, tuple)) else [value]
    names = [one.lower() for one in given if isinstance(one, str)]
    if not names or len(names) < len(given) or not TYPES.issuperset(names):
        return UNFIT
    return [*dict.fromkeys(names)] if isinstance(value, (list, tuple)) else names[0]
