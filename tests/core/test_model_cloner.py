"""Copies of a pydantic object are what its class would have made, and share nothing."""

from __future__ import annotations

import copy
import pickle
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from aimlapi_core._adapters.model_cloner import ModelCloner


class Row(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str
    size: int = 0
    tags: list[str] = Field(default_factory=list)
    more: dict[str, Any] = Field(default_factory=dict)
    _seen: int = PrivateAttr(default=0)


CLONER = ModelCloner(Row(name="a", more={"x": 1}))


def test_a_copy_is_what_the_class_makes() -> None:
    made, wanted = CLONER.copy({"name": "b", "size": 2}), Row(name="b", size=2, more={"x": 1})
    assert made == wanted
    assert made.model_fields_set == wanted.model_fields_set
    assert made.model_dump() == wanted.model_dump()
    assert pickle.loads(pickle.dumps(made)) == wanted
    assert copy.deepcopy(made) == wanted


def test_copies_share_nothing_that_can_change() -> None:
    first, second = CLONER.copy({"name": "1"}), CLONER.copy({"name": "2"})
    first.tags.append("t")
    first.more["y"] = 2
    first.size = 7
    first._seen = 9
    first.other = "extra"  # type: ignore[attr-defined]  # the class takes members of any name
    assert second == Row(name="2", more={"x": 1})
    assert second.model_fields_set == {"name", "more"}


def test_a_list_that_is_given_is_copied_too() -> None:
    tags = ["t"]
    made = CLONER.copy({"name": "b", "tags": tags})
    made.tags.append("u")
    assert tags == ["t"]
