"""Merges members of a stream's deltas that the core has no field for.

A message delta's texts and lists are pieces, so they grow, as OpenAI's client has it
(openai-python, `accumulate_delta`); what a choice says beside its delta is a fact each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Names and types, which each delta repeats whole: they are not concatenated.
_FACTS = frozenset("id type role name index format object status model".split())


def replaced(old: Any, new: Any) -> Any:
    """The last value; lists grow, and the members of an object are kept."""
    if isinstance(new, list) and isinstance(old, list):
        return [*old, *new]
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return {**old, **new}
    return new


def joined(old: Any, new: Any) -> Any:
    """`old` with the piece `new`: texts are joined, lists appended, objects merged by member.

    An item of a list is merged into the one with the same `index`. Of other values, and where
    the types differ, the last counts.
    """
    if isinstance(new, list):
        return _joined_lists(old if isinstance(old, list) else [], new)
    if isinstance(old, str) and isinstance(new, str):
        return old + new
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: _joined_member(key, old.get(key), new[key]) for key in new}}
    return new


def _joined_member(key: str, old: Any, new: Any) -> Any:
    if new is None and old is not None:
        return old
    is_fact = key in _FACTS or key.endswith(("_id", "_type"))
    return new if is_fact and new else joined(old, new)


def _joined_lists(old: list[Any], new: list[Any]) -> list[Any]:
    merged = list(old)
    for item in new:
        index = _index_of(item)
        rows = reversed(range(len(merged))) if index is not None else ()
        at = next((row for row in rows if _index_of(merged[row]) == index), None)
        if at is None:
            merged.append(item)
        else:
            merged[at] = joined(merged[at], item)
    return merged


def _index_of(item: Any) -> int | None:
    index = item.get("index") if isinstance(item, Mapping) else None
    return index if type(index) is int else None
