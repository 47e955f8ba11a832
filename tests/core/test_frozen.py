"""`_frozen.dataclass` makes what the standard library's makes."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

import aimlapi_core
from aimlapi_core import _frozen as frozen


def example(dataclass: Any) -> type[Any]:
    @dataclass(frozen=True, slots=True)
    class Example:
        """An example."""

        name: str
        count: int = 1
        members: dict[str, Any] = field(default_factory=dict, repr=False)
        where: int = field(default=0, compare=False)

        def __post_init__(self) -> None:
            if self.count < 0:
                raise ValueError("below 0")

    return Example


OURS: Any = example(frozen.dataclass)
STANDARD: Any = example(dataclasses.dataclass)


@pytest.mark.parametrize(
    "use",
    [
        lambda cls: repr(cls("a", where=3)),
        lambda cls: cls("a") == cls("a", where=3),
        lambda cls: cls("a") == cls("b"),
        lambda cls: cls("a") == "a",
        lambda cls: cls("a").members is cls("a").members,
        lambda cls: dataclasses.asdict(cls("a", 2, {"x": 1})),
        lambda cls: repr(dataclasses.replace(cls("a"), name="b")),
        lambda cls: [row.name for row in dataclasses.fields(cls)],
        lambda cls: str(inspect.signature(cls)),
        lambda cls: cls.__match_args__,
        lambda cls: hasattr(cls("a"), "__dict__"),
        lambda cls: repr(copy.deepcopy(cls("a", 2))),
        lambda cls: cls.__init__.__qualname__,
        lambda cls: dataclasses.is_dataclass(cls),
    ],
)
def test_it_gives_what_the_standard_one_gives(use: Callable[[Any], Any]) -> None:
    assert use(OURS) == use(STANDARD)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda cls: setattr(cls("a"), "name", "b"),
        lambda cls: delattr(cls("a"), "name"),
        lambda cls: cls(),
        lambda cls: cls("a", other=1),
        lambda cls: cls("a", -1),
        lambda cls: hash(cls("a")),  # of a dict
    ],
)
def test_it_refuses_what_the_standard_one_refuses(misuse: Callable[[Any], Any]) -> None:
    with pytest.raises((FrozenInstanceError, TypeError, ValueError)) as standard:
        misuse(STANDARD)
    with pytest.raises(type(standard.value)) as ours:
        misuse(OURS)
    assert str(ours.value) == str(standard.value)


def test_a_frozen_dataclass_may_be_made_of_it() -> None:
    @dataclasses.dataclass(frozen=True)
    class More(OURS):  # type: ignore[misc]  # Any to mypy
        more: int = 0

    assert More("a", more=2).more == 2
    assert dataclasses.replace(More("a"), more=3) == More("a", more=3)


def _made() -> list[type[Any]]:
    names = [m.name for m in pkgutil.walk_packages(aimlapi_core.__path__, "aimlapi_core.")]
    modules = [importlib.import_module(name) for name in names if "__main__" not in name]
    found = {value for module in modules for value in vars(module).values() if type(value) is type}
    return sorted((cls for cls in found if "_compared" in vars(cls)), key=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", _made(), ids=lambda cls: cls.__name__)
def test_a_value_is_pickled_and_compared_by_its_fields(cls: type[Any]) -> None:
    needed = [f for f in dataclasses.fields(cls) if f.default is f.default_factory]
    given = {row.name: () if "tuple" in row.type else "x" for row in needed}
    value = cls(**given)
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.copy(value) == value
    assert repr(value).startswith(f"{cls.__name__}(")
