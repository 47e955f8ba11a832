"""`dataclass(frozen=True, slots=True)`, made in a quarter of the time. Pure.

The standard one compiles seven functions for each class, which was a third of what an import of
this package took. All but `__init__` do the same in every class, and stand here once.
Type checkers see the standard one; `fields`, `replace`, `asdict`, copies and pickles take what this
one makes for what that one makes, and `tests/core/test_frozen.py` compares the two.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T", bound=type)

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[T], T]:
        """The decorator; both arguments are True, as the standard one takes them."""
        return _make


_without_methods = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)


def _make(cls: T) -> T:
    made: Any = _without_methods(cls)
    rows = fields(made)
    made.__init__ = _init(made, rows)
    made._compared = attrgetter(*(row.name for row in rows if row.compare))
    for name, method in _SHARED.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    # A frozen dataclass may have none but frozen ones as its bases.
    made.__dataclass_params__.frozen = True
    return made  # type: ignore[no-any-return]  # the class with slots


class _Factory:
    """The default of an argument that a function makes."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def _init(cls: type, rows: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    names: dict[str, Any] = {"_set": object.__setattr__, "_FACTORY": _FACTORY}
    arguments, lines = ["self"], []
    for row in rows:
        name = value = row.name
        if row.default is not MISSING:
            names[f"_{name}"] = row.default
            arguments.append(f"{name}=_{name}")
        elif row.default_factory is not MISSING:
            names[f"_{name}"] = row.default_factory
            arguments.append(f"{name}=_FACTORY")
            value = f"_{name}() if {name} is _FACTORY else {name}"
        else:
            arguments.append(name)
        lines.append(f" _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec(
        f"def __init__({', '.join(arguments)}):\n" + "\n".join(lines), names
    )  # names of fields only
    init: Callable[..., None] = names["__init__"]
    init.__annotations__ = {row.name: row.type for row in rows} | {"return": None}
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{row.name}={getattr(self, row.name)!r}" for row in fields(self) if row.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    return self._compared(self) == self._compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _setattr(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, row.name) for row in fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for row, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, row.name, value)


_SHARED = {
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
