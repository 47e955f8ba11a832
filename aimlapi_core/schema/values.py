"""The values of JSON Schema's keywords, but for subschemas, as the service takes them.

OpenAI holds a schema to JSON Schema's metaschema ("5 is not of type 'string'"), and JSON has
neither NaN nor Python's objects: a program's or a server's schema may hold both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Set
from enum import Enum
from typing import Any

from aimlapi_core._values.nearest_json import nearest_json
from aimlapi_core._values.plain import plain_number, plain_scalar

UNFIT = object()
_TEXTS = frozenset("title description $comment $id $schema $anchor format".split())
_NUMBERS = frozenset("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split())
_COUNTS = frozenset(
    "minItems maxItems minLength maxLength minProperties maxProperties minContains "
    "maxContains".split()
)
_FLAGS = frozenset("uniqueItems deprecated readOnly writeOnly".split())
_NO_TEXTS = _NUMBERS | _COUNTS | _FLAGS | {"enum"}
# Keywords that restrict no value: without them a schema allows the same.
ANNOTATIONS = frozenset(
    "title description default examples example $comment $id $schema $anchor deprecated readOnly "
    "writeOnly".split()
)


def keyword_value(keyword: str, value: Any) -> Any:
    """The value in JSON's own types; UNFIT where the keyword does not take it, or JSON does not.

    Of an enum the values that JSON has.
    """
    kind = type(value)
    if kind is str:  # as most are
        return value if keyword not in _NO_TEXTS else UNFIT
    if keyword in _TEXTS:
        return _text(value)
    if keyword in _NUMBERS or keyword in _COUNTS:
        return _number(value, "int" if keyword in _COUNTS else "float")
    if keyword in _FLAGS:
        value = plain_scalar(value)
        return value if isinstance(value, bool) else UNFIT
    if kind is list and all(type(one) is str for one in value):
        return value
    if keyword == "enum":
        return _enum(value)
    if kind is bool or kind is int or value is None:
        return value
    found, lost = nearest_json(value)
    return UNFIT if lost else found


def unique(values: list[Any]) -> list[Any]:
    """Each value of an enum once, as JSON tells them apart: 1 and true are two.

    JSON Schema's metaschemas demand that in `required` and `type`, those before 2019-09 in an
    enum too.
    """
    return [*{json.dumps(value, sort_keys=True): value for value in values}.values()]


def shown(value: Any) -> str:
    """The value in a message, in 60 characters."""
    try:
        return f"{value!r:.60}"
    except Exception:  # whatever the object's own code raises
        return f"<{type(value).__name__}>"


def description_text(value: Any) -> str | None:
    """A tool's description as the service takes it, None where it has none."""
    if value is None or type(value) is str:
        return value
    found = _text(value)
    return None if found is UNFIT else found


def _text(value: Any) -> Any:
    """Numbers and lists of lines as text, as YAML and hand-written schemas have them."""
    found, lost = nearest_json(value)
    lines = found if isinstance(found, list) else [found]
    if lost or not lines or not all(isinstance(one, (str, int, float)) for one in lines):
        return UNFIT
    return "\n".join(map(str, lines))


def _number(value: Any, kind: str) -> Any:
    value = plain_number(value, kind)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return UNFIT
    return UNFIT if kind == "int" and not isinstance(value, int) else value


def _enum(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, Enum):
        value = list(value)
    if not isinstance(value, (list, tuple, Set)):
        return UNFIT
    members = sorted(value, key=repr) if isinstance(value, Set) else value
    written = (nearest_json(one) for one in members)
    return [found for found, lost in written if not lost] or UNFIT
