"""JSON Schemas as the service accepts them."""

from aimlapi_core.schema.nullability import drop_added_nulls
from aimlapi_core.schema.object_schema import answer_schema, object_schema
from aimlapi_core.schema.strict import strict_schema

__all__ = [
    "answer_schema",
    "drop_added_nulls",
    "object_schema",
    "strict_schema",
]
