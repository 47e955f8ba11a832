"""Schemas of tools as bytes: copies that a caller may change, and what is kept by its content.

Agents give the same tools to the model at each step. `marshal` writes and reads plain dicts, lists
and scalars in a few microseconds, and nothing else.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

ValueT = TypeVar("ValueT")

SchemaCopies: TypeAlias = Callable[[], Mapping[str, Any]]

_MAX_KEPT = 512


def copies_of(schema: Mapping[str, Any]) -> SchemaCopies:
    """A function that gives deep copies of a schema as it is now.

    Each is of its type, which says in which form it is.
    """
    kind: Any = type(schema)
    try:
        packed = marshal.dumps(dict(schema))
    except ValueError:  # a value of another type than JSON's
        return partial(deepcopy, deepcopy(schema))
    return lambda: kind(marshal.loads(packed))


class ContentCache(Generic[ValueT]):
    """Values by the content of what they were made of. A value must hold no part of it.

    What `marshal` does not write, as an object, is made each time.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, ValueT] = {}

    def get(self, content: Any, make: Callable[[], ValueT]) -> ValueT:
        """The value for this content, made by `make` for the first."""
        try:
            key = marshal.dumps(content, 2)  # later versions write how often objects are used
        except ValueError:
            return make()
        found = self._kept.get(key)
        if found is None:
            found = make()
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found
