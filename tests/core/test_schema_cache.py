"""What is kept of tools' schemas is found by their content, and copies share nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aimlapi_core._adapters.schema_cache import ContentCache, copies_of
from aimlapi_core.schema.object_schema import ObjectSchema


@pytest.mark.parametrize("odd", [None, Decimal("1.5")], ids=["plain", "another type"])
def test_copies_are_of_the_type_and_share_nothing(odd: Any) -> None:
    given = ObjectSchema(properties={"a": {"enum": ["x"], "default": odd}})
    copies = copies_of(given)
    given["properties"]["a"]["enum"].append("changed")
    first, second = copies(), copies()
    first["properties"]["a"]["enum"].append("y")
    assert type(second) is ObjectSchema
    assert second == {"properties": {"a": {"enum": ["x"], "default": odd}}}


def test_equal_content_is_made_once_and_any_other_anew() -> None:
    made: list[Any] = []
    cache: ContentCache[int] = ContentCache()

    def make() -> int:
        made.append(None)
        return len(made)

    schema: dict[str, Any] = {"properties": {"a": {"minimum": 1}}}
    assert [cache.get(schema, make), cache.get({**schema}, make)] == [1, 1]
    schema["properties"]["a"]["minimum"] = True  # equal to 1 in Python, and not in JSON
    assert cache.get(schema, make) == 2
    schema["properties"]["a"]["minimum"] = Decimal(1)
    assert [cache.get(schema, make), cache.get(schema, make)] == [3, 4]


def test_no_more_than_a_bound_is_kept() -> None:
    cache: ContentCache[int] = ContentCache()
    for number in range(2000):
        cache.get(number, lambda: 0)
    assert len(cache._kept) <= 512
