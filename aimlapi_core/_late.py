"""Modules and names that are imported when they are first used: a first call needs few of all.

A type checker is to see the plain import:

    if TYPE_CHECKING:
        from aimlapi_core import account
    else:
        account = late_module("aimlapi_core.account")
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


class _LateModule:
    def __init__(self, name: str) -> None:
        self.__name__ = name
        self._module: Any = None

    def __reduce__(self) -> Any:
        return late_module, (self.__name__,)

    def __getattr__(self, name: str) -> Any:
        if self._module is None:
            # Not from `sys.modules`, which has it while another thread still imports it.
            self._module = import_module(self.__name__)
        return getattr(self._module, name)


def late_module(name: str) -> Any:
    """The module of this name, which the first use of a member imports."""
    return _LateModule(name)


def late_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__` (PEP 562). `homes`: names, separated by blanks, of each module.

    A name is a member of the package from its first use on.
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def __getattr__(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
